#pragma once

#include <cstddef>

namespace weir::inline v1::detail {

// Of two sizes, without <algorithm>.

constexpr std::size_t least_of(std::size_t one, std::size_t other) {
  return one < other ? one : other;
}
constexpr std::size_t most_of(std::size_t one, std::size_t other) {
  return one < other ? other : one;
}

}  // namespace weir::inline v1::detail
