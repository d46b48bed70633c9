#pragma once

#include <cstddef>
#include <utility>

#include "weir/host/kernels/permute_lanes.hpp"
#include "weir/host/load_store.hpp"

namespace weir::inline v1 {
namespace detail {

/// Transposes two square matrices whose rows are the lower and the upper halves of `Count / 2` vectors. Its
/// own inverse.
template <class Real, int Count>
[[gnu::always_inline]] inline void transpose_halves(Lanes<Real, Count> (&rows)[Count / 2]) {
  using Values = Lanes<Real, Count>;
  using Index = Lanes<LaneNumber<Real>, Count>;
  constexpr int half = Count / 2;
  constexpr int rounds = half == 8 ? 3 : half == 4 ? 2 : 1;
  static_assert(half == 1 << rounds);
  Index numbers;
  lane_numbers<Real, Count>.load_into(numbers);
  repeat<rounds>([&](auto round) __attribute__((always_inline)) {
    constexpr int bit = 1 << round;
    Index const is_set = Index{} - ((numbers >> static_cast<int>(round)) & LaneNumber<Real>{1});
    Index const exchanged = numbers ^ LaneNumber<Real>{bit};
    repeat<half>([&](auto i) __attribute__((always_inline)) {
      if constexpr ((i & bit) == 0) {
        Values one, other;
        permute<Real, Count>(rows[i], exchanged, one);
        permute<Real, Count>(rows[i + bit], exchanged, other);
        // Copies, because nvcc does not know that what lies in an array is a vector.
        Values const row = rows[i], partner = rows[i + bit];
        Index const lower = reinterpret_cast<Index>(row);
        Index const upper = reinterpret_cast<Index>(partner);
        rows[i] = reinterpret_cast<Values>((lower & ~is_set) | (reinterpret_cast<Index>(other) & is_set));
        rows[i + bit] = reinterpret_cast<Values>((reinterpret_cast<Index>(one) & ~is_set) | (upper & is_set));
      }
    });
  });
}

/// Reads the halves of a vector from two places.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void load_halves(Element const* lower, Element const* upper,
                                               Lanes<Real, Count>& to) {
  Lanes<Real, Count / 2> one, other;
  load<Real, Count / 2>(lower, one);
  load<Real, Count / 2>(upper, other);
#if defined(__CUDACC__)  // which does not expand the arguments of built-in functions
  __builtin_memcpy(&to, &one, sizeof(one));
  __builtin_memcpy(reinterpret_cast<char*>(&to) + sizeof(one), &other, sizeof(other));
#else
  [&]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
    to = __builtin_shufflevector(one, other, Lane...);
  }
  (std::make_integer_sequence<int, Count>{});
#endif
}

/// Writes the halves of a vector to two places.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void store_halves(Lanes<Real, Count> const& from, Element* lower,
                                                Element* upper) {
#if defined(__CUDACC__)
  Lanes<Real, Count / 2> halves[2];
  __builtin_memcpy(halves, &from, sizeof(from));
  store<Real, Count / 2>(halves[0], lower);
  store<Real, Count / 2>(halves[1], upper);
#else
  [&]<int... Lane>(std::integer_sequence<int, Lane...>) __attribute__((always_inline)) {
    Lanes<Real, Count / 2> const one = __builtin_shufflevector(from, from, Lane...);
    Lanes<Real, Count / 2> const other = __builtin_shufflevector(from, from, (Lane + Count / 2)...);
    store<Real, Count / 2>(one, lower);
    store<Real, Count / 2>(other, upper);
  }
  (std::make_integer_sequence<int, Count / 2>{});
#endif
}

}  // namespace detail
}  // namespace weir::inline v1
