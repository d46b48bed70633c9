#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// What a search for an entry that is not live gives.
inline constexpr std::size_t no_slot = static_cast<std::size_t>(-1);

namespace detail {

/// Where `value` stands among these, `no_slot` if it does not. Cost: O(log size).
template <class Index>
WEIR_HOST_DEVICE constexpr std::size_t find_slot(Index const* ascending, std::size_t size,
                                                 std::size_t value) {
  std::size_t low = 0;
  for (std::size_t high = size; low < high;) {
    std::size_t const middle = (low + high) / 2;
    if (ascending[middle] < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < size && ascending[low] == value ? low : no_slot;
}

}  // namespace detail
}  // namespace weir::inline v1
