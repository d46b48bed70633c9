#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/host/lanes.hpp"

namespace weir::inline v1 {
namespace detail {

// Instructions on masks, in asm statements for the reason that host/lanes.hpp gives.

/// Bit l tells whether left[l] > right[l], of signed integers.
template <class Integer, int Count>
[[gnu::always_inline]] inline std::uint32_t mask_above(Lanes<Integer, Count> const& left,
                                                       Lanes<Integer, Count> const& right) {
  if constexpr (Count == 1) {
    return left > right ? 1u : 0u;
  } else {
    std::uint32_t mask = 0;
#if defined(__x86_64__) && (defined(__OPTIMIZE__) || !defined(__clang__))
    constexpr bool is_int = sizeof(Integer) == 4;
    if constexpr (sizeof(left) == 64 && is_int) {
      asm("vpcmpgtd %2, %1, %%k1\n\tkmovw %%k1, %0" : "=r"(mask) : "?v"(left), "?v"(right) : "k1");
    } else if constexpr (sizeof(left) == 64) {
      asm("vpcmpgtq %2, %1, %%k1\n\tkmovw %%k1, %0" : "=r"(mask) : "?v"(left), "?v"(right) : "k1");
    } else {
      auto const above = left > right;
      if constexpr (sizeof(left) == 32 && is_int) {
        asm("vmovmskps %1, %0" : "=r"(mask) : "?v"(above));
      } else if constexpr (sizeof(left) == 32) {
        asm("vmovmskpd %1, %0" : "=r"(mask) : "?v"(above));
      } else if constexpr (is_int) {
        asm("movmskps %1, %0" : "=r"(mask) : "x"(above));
      } else {
        asm("movmskpd %1, %0" : "=r"(mask) : "x"(above));
      }
    }
#else
    for (int lane = 0; lane < Count; ++lane) mask |= (left[lane] > right[lane] ? 1u : 0u) << lane;
#endif
    return mask;
  }
}

/// Writes the lanes of `from` whose bit is set, in order, to the front of an array with room for all of them.
/// 64-byte vectors only.
template <class Number, int Count>
[[gnu::always_inline]] inline void store_packed(Lanes<Number, Count> const& from, std::uint32_t mask,
                                                Number* to) {
#if defined(__x86_64__) && (defined(__OPTIMIZE__) || !defined(__clang__))
  Lanes<Number, Count> packed;
  if constexpr (sizeof(Number) == 4) {
    asm("kmovw %2, %%k1\n\tvpcompressd %1, %0%{%%k1%}%{z%}" : "=?v"(packed) : "?v"(from), "r"(mask) : "k1");
  } else {
    asm("kmovw %2, %%k1\n\tvpcompressq %1, %0%{%%k1%}%{z%}" : "=?v"(packed) : "?v"(from), "r"(mask) : "k1");
  }
  __builtin_memcpy(to, &packed, sizeof(packed));
#else
  for (; mask != 0; mask &= mask - 1) *to++ = from[__builtin_ctz(mask)];
#endif
}

/// How many bits of a mask are set, in a function that is compiled for 64-byte vectors.
[[gnu::always_inline]] inline std::size_t bits_in(std::uint32_t mask) {
#if defined(__x86_64__)
  std::uint32_t count;
  asm("popcntl %1, %0" : "=r"(count) : "r"(mask) : "cc");
  return count;
#else
  return static_cast<std::size_t>(__builtin_popcount(mask));
#endif
}

}  // namespace detail
}  // namespace weir::inline v1
