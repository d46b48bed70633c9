#pragma once

#include <cstdint>

namespace weir::inline v1 {

/// How a collective combines the ranks' elements, always in rank order.
///
/// `max` and `min` keep a NaN of any rank; `bit_or` is for integers.
enum class ReduceOp : std::uint8_t { sum, max, min, bit_or };

constexpr char const* name_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return "sum";
    case ReduceOp::max:
      return "max";
    case ReduceOp::min:
      return "min";
    case ReduceOp::bit_or:
      return "bit_or";
  }
  return "unknown";
}

}  // namespace weir::inline v1
