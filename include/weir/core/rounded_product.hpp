#pragma once

#include <concepts>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// The product of two numbers, rounded before it is used: no compiler merges it with an addition that follows
/// into one fused multiply-add, whatever `-ffp-contract` says. Same bits on every host and on the device.
///
/// Cost: one multiplication; loops around it are not vectorised.
template <std::floating_point Real>
WEIR_HOST_DEVICE constexpr Real rounded_product(Real left, Real right) {
  if (__builtin_is_constant_evaluated()) return left * right;
#if defined(__CUDA_ARCH__)
  if constexpr (sizeof(Real) == sizeof(float)) {
    return __fmul_rn(left, right);
  } else {
    return __dmul_rn(left, right);
  }
#else
  Real product = left * right;
  // The empty instruction claims to change the product, so that the multiplication has to end before it.
#if defined(__x86_64__)
  asm("" : "+x"(product));
#elif defined(__aarch64__)
  asm("" : "+w"(product));
#else
  asm("" : "+m"(product));
#endif
  return product;
#endif
}

}  // namespace weir::inline v1
