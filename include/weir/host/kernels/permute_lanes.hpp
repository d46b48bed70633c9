#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "weir/host/lanes.hpp"

namespace weir::inline v1 {
namespace detail {

/// An integer as wide as the number whose lanes it counts.
template <class Real>
using LaneNumber = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;

/// `f(0), f(1), .. f(Count - 1)` with constants: arrays that are indexed by them stay in registers.
template <int Count, class Function>
[[gnu::always_inline]] inline void repeat(Function&& f) {
  [&]<int... Index>(std::integer_sequence<int, Index...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, Index>{}), ...);
  }
  (std::make_integer_sequence<int, Count>{});
}

/// Constants of one vector, by lane.
template <class Number, int Count>
struct LaneConstants {
  Number lane[Count] = {};

  [[gnu::always_inline]] void load_into(Lanes<Number, Count>& to) const {
    __builtin_memcpy(&to, lane, sizeof(to));
  }
};

/// 0, 1, 2, ..
template <class Real, int Count>
inline constexpr auto lane_numbers = [] {
  LaneConstants<LaneNumber<Real>, Count> numbers;
  for (int lane = 0; lane < Count; ++lane) numbers.lane[lane] = static_cast<LaneNumber<Real>>(lane);
  return numbers;
}();

// What stands between the two is left out where it would not compile: see `keep_rounded` and `widen`.
#if defined(__x86_64__) && !defined(__CUDACC__) && (defined(__OPTIMIZE__) || !defined(__clang__))
inline constexpr bool has_lane_instructions = true;
#else
inline constexpr bool has_lane_instructions = false;
#endif

/// `to[lane] = from`, which is not computed with.
template <class Real, int Count>
[[gnu::always_inline]] inline void broadcast(Real const& from, Lanes<Real, Count>& to) {
  if constexpr (Count == 1) {
    to = from;
#if defined(__x86_64__)
  } else if constexpr (has_lane_instructions && sizeof(to) >= 32 && sizeof(Real) == 8) {
    asm("vbroadcastsd %1, %0" : "=?v"(to) : "m"(from));
  } else if constexpr (has_lane_instructions && sizeof(to) >= 32) {
    asm("vbroadcastss %1, %0" : "=?v"(to) : "m"(from));
#endif
  } else {
    Lanes<Real, Count> const zero = {};
    to = from - zero;  // x - 0 is x for every x; 0 + x is not
  }
}

/// `to[lane] = from[index[lane]]`.
template <class Real, int Count>
[[gnu::always_inline]] inline void permute(Lanes<Real, Count> const& from,
                                           Lanes<LaneNumber<Real>, Count> const& index,
                                           Lanes<Real, Count>& to) {
  if constexpr (Count == 1) {
    to = from;
#if defined(__x86_64__)
  } else if constexpr (has_lane_instructions && sizeof(from) == 64 && sizeof(Real) == 8) {
    asm("vpermpd %1, %2, %0" : "=?v"(to) : "?v"(from), "?v"(index));
  } else if constexpr (has_lane_instructions && sizeof(from) >= 32 && sizeof(Real) == 4) {
    asm("vpermps %1, %2, %0" : "=?v"(to) : "?v"(from), "?v"(index));
  } else if constexpr (has_lane_instructions && sizeof(from) == 32) {
    Lanes<std::uint64_t, 4> const words = (index << 1) | (((index << 1) | 1) << 32);
    asm("vpermps %1, %2, %0" : "=?v"(to) : "?v"(from), "?v"(words));
#endif
  } else {
    Lanes<Real, Count> const source = from;
    for (int lane = 0; lane < Count; ++lane) to[lane] = source[index[lane]];
  }
}

inline float scalar_fused(float left, float right, float addend) {
  return __builtin_fmaf(left, right, addend);
}
inline double scalar_fused(double left, double right, double addend) {
  return __builtin_fma(left, right, addend);
}

/// `sum += left * right`, rounded once, whatever the compiler is told about contraction.
template <class Real, int Count>
[[gnu::always_inline]] inline void fuse_into(Lanes<Real, Count> const& left, Lanes<Real, Count> const& right,
                                             Lanes<Real, Count>& sum) {
  if constexpr (Count == 1) {
    sum = scalar_fused(left, right, sum);
#if defined(__x86_64__)
  } else if constexpr (has_lane_instructions && sizeof(sum) >= 32 && sizeof(Real) == 8) {
    asm("vfmadd231pd %2, %1, %0" : "+?v"(sum) : "?v"(left), "?v"(right));
  } else if constexpr (has_lane_instructions && sizeof(sum) >= 32) {
    asm("vfmadd231ps %2, %1, %0" : "+?v"(sum) : "?v"(left), "?v"(right));
#endif
  } else {
    for (int lane = 0; lane < Count; ++lane) sum[lane] = scalar_fused(left[lane], right[lane], sum[lane]);
  }
}

}  // namespace detail
}  // namespace weir::inline v1
