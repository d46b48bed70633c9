#pragma once

#include <cstddef>

/// Ranks that do not do the same: few workers and many, few micro-batches and many.
namespace uneven_ranks {

struct Layout {
  std::size_t workers;
  std::size_t micro_batches;
};

inline constexpr Layout layouts[] = {{3, 1}, {1, 1}, {2, 3}, {1, 5}};
inline constexpr std::size_t count = 4;
inline constexpr std::size_t total_micro_batches = 15;

}  // namespace uneven_ranks
