#pragma once

#include <cstddef>

namespace weir::inline v1::detail {

// <algorithm> costs 20,000 lines.

constexpr std::size_t smaller(std::size_t one, std::size_t other) {
  return one < other ? one : other;
}
constexpr std::size_t larger(std::size_t one, std::size_t other) {
  return one < other ? other : one;
}

}  // namespace weir::inline v1::detail
