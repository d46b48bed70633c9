#pragma once

#include <cstddef>

namespace weir::inline v1 {

/// Where part `part` of `parts` contiguous, nearly equal parts of `count` elements begins: count * part /
/// parts, without overflow. Part r is [even_split(n, r, R), even_split(n, r + 1, R)).
constexpr std::size_t even_split(std::size_t count, std::size_t part, std::size_t parts) {
  return count / parts * part + count % parts * part / parts;
}

}  // namespace weir::inline v1
