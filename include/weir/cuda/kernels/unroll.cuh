#pragma once

#include <utility>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {
namespace detail {

template <class Function, int... Index>
WEIR_HOST_DEVICE constexpr void unroll(Function const& f, std::integer_sequence<int, Index...>) {
  (f(Index), ...);
}

/// f(0), f(1), .. f(Count - 1), so that arrays which are indexed with that stay in registers. (The host's
/// compiler does not know the pragma.)
template <int Count, class Function>
WEIR_HOST_DEVICE constexpr void unroll(Function const& f) {
  unroll(f, std::make_integer_sequence<int, Count>());
}

}  // namespace detail
}  // namespace weir::inline v1
