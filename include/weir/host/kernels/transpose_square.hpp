#pragma once

#include <utility>

#include "weir/host/kernels/permute_lanes.hpp"

namespace weir::inline v1 {
namespace detail {

/// Transposes a square matrix whose rows are vectors.
template <class Real, int Count>
[[gnu::always_inline]] inline void transpose_square(Lanes<Real, Count> (&rows)[Count]) {
  using Values = Lanes<Real, Count>;
  static_assert(Count > 1 && (Count & (Count - 1)) == 0);
#if defined(__CUDACC__)  // which does not expand the arguments of built-in functions
  for (int i = 0; i < Count; ++i) {
    for (int j = 0; j < i; ++j) {
      Real const kept = rows[i][j];
      rows[i][j] = rows[j][i];
      rows[j][i] = kept;
    }
  }
#else
  constexpr int rounds = Count == 16 ? 4 : Count == 8 ? 3 : Count == 4 ? 2 : 1;
  static_assert(Count == 1 << rounds);
  repeat<rounds>([&](auto round) __attribute__((always_inline)) {
    constexpr int bit = 1 << round;
    repeat<Count>([&](auto i) __attribute__((always_inline)) {
      if constexpr ((i & bit) == 0) {
        Values const one = rows[i], other = rows[i + bit];
        [&]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
          rows[i] = __builtin_shufflevector(one, other, ((Lane & bit) != 0 ? Count + Lane - bit : Lane)...);
          rows[i + bit] =
              __builtin_shufflevector(one, other, ((Lane & bit) != 0 ? Count + Lane : Lane + bit)...);
        }
        (std::make_integer_sequence<int, Count>{});
      }
    });
  });
#endif
}

}  // namespace detail
}  // namespace weir::inline v1
