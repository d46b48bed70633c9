#pragma once

#include <concepts>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"

namespace weir::inline v1 {

/// The operations that a rule such as `SgdRule` is written with, for one number at a time: each is rounded to
/// nearest, on the host and on the device alike, whatever options the compiler was given.
/// `host/lane_math.hpp` has them for vectors.
struct NumberMath {
  /// `to = left * right`
  template <std::floating_point Real>
  WEIR_HOST_DEVICE static void multiply(Real left, Real right, Real& to) {
    to = rounded_product(left, right);
  }

  /// `to = left * right + addend`, both operations rounded.
  template <std::floating_point Real>
  WEIR_HOST_DEVICE static void multiply_add(Real left, Real right, Real addend, Real& to) {
    to = rounded_product(left, right) + addend;
  }

  template <std::floating_point Real>
  WEIR_HOST_DEVICE static void add(Real left, Real right, Real& to) {
    to = left + right;
  }

  template <std::floating_point Real>
  WEIR_HOST_DEVICE static void subtract(Real left, Real right, Real& to) {
    to = left - right;
  }

  template <std::floating_point Real>
  WEIR_HOST_DEVICE static void divide(Real left, Real right, Real& to) {
#if defined(__CUDA_ARCH__)
    if constexpr (sizeof(Real) == sizeof(float)) {
      to = __fdiv_rn(left, right);
    } else {
      to = __ddiv_rn(left, right);
    }
#else
    to = left / right;
#endif
  }

  template <std::floating_point Real>
  WEIR_HOST_DEVICE static void square_root(Real from, Real& to) {
#if defined(__CUDA_ARCH__)
    if constexpr (sizeof(Real) == sizeof(float)) {
      to = __fsqrt_rn(from);
    } else {
      to = __dsqrt_rn(from);
    }
#else
    if constexpr (sizeof(Real) == sizeof(float)) {
      to = __builtin_sqrtf(from);
    } else {
      to = __builtin_sqrt(from);
    }
#endif
  }
};

}  // namespace weir::inline v1
