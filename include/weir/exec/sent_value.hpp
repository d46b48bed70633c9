#pragma once

#include "weir/core/convert.hpp"
#include "weir/core/half.hpp"
#include "weir/core/host_device.hpp"
#include "weir/exec/magnitude_key.hpp"
#include "weir/exec/sparsify_constants.hpp"

namespace weir::inline v1 {
namespace detail {

/// What is sent of a value in 16 bits: rounded to nearest even; a finite one beyond the largest number
/// becomes that number, not infinity.
template <class Short, class Real>
WEIR_HOST_DEVICE constexpr Real rounded_for_sending(Real value, float largest) {
  Real const sent = static_cast<Real>(static_cast<float>(convert<Short>(value)));
  if (MagnitudeKey<Real>::of(value) >= MagnitudeKey<Real>::infinity) return sent;
  if (MagnitudeKey<Real>::of(sent) < MagnitudeKey<Real>::infinity) return sent;
  return value < 0 ? -static_cast<Real>(largest) : static_cast<Real>(largest);
}

/// The value that is sent of an element of the accumulator.
template <class Real>
WEIR_HOST_DEVICE constexpr Real sent_value(Real value, SparsifyConstants const& constants) {
  if (!constants.rounds_values) return value;
  if (constants.precision == ElementType::float16) return rounded_for_sending<half>(value, 65504.0f);
  return rounded_for_sending<bfloat16>(value, float_of(0x7f7f'0000u));
}

/// What stays of it: +0 where all of it was sent, or where it is not finite.
template <class Real>
WEIR_HOST_DEVICE constexpr Real kept_value(Real value, Real sent) {
  if (MagnitudeKey<Real>::of(value) >= MagnitudeKey<Real>::infinity) return Real{0};
  return value - sent;
}

}  // namespace detail
}  // namespace weir::inline v1
