#pragma once

#include <type_traits>

#include "weir/core/half.hpp"
#include "weir/core/host_device.hpp"

namespace weir::inline v1 {
namespace detail {

/// The float next to `value` in the direction of zero, its last bit set if that is not exact ("round to
/// odd"): rounded again to fewer bits, it gives what rounding `value` once would have given.
WEIR_HOST_DEVICE constexpr float sticky_float(double value) {
  float const nearest = static_cast<float>(value);
  double const back = nearest;
  if (back == value || value != value) return nearest;
  bool const away_from_zero = value < 0 ? back < value : back > value;
  return float_of((bits_of(nearest) - (away_from_zero ? 1u : 0u)) | 1u);
}

/// One element, rounded once to nearest even.
template <class To, class From>
WEIR_HOST_DEVICE constexpr To convert(From from) {
  if constexpr (std::is_same_v<To, From>) {
    return from;
  } else if constexpr (std::is_floating_point_v<To> && std::is_floating_point_v<From>) {
    return static_cast<To>(from);
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(static_cast<float>(from));
  } else if constexpr (std::is_same_v<From, double>) {
    return To(sticky_float(from));
  } else {
    return To(static_cast<float>(from));
  }
}

}  // namespace detail
}  // namespace weir::inline v1
