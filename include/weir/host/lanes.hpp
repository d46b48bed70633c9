#pragma once

#include <cstdint>
#include <type_traits>

namespace weir::inline v1 {

namespace detail {
template <class Number, int Count>
struct LanesOf {
  typedef Number type __attribute__((vector_size(Count * sizeof(Number))));
};
template <class Number>
struct LanesOf<Number, 1> {
  using type = Number;
};
}  // namespace detail

/// `Count` numbers that are computed with at once; one is the number itself.
///
/// Whatever is written with lanes gives the same bits for every count, so that kernels are written once and
/// compiled for each width of vectors. Lanes are passed by reference: by value their ABI depends on the
/// width.
template <class Number, int Count>
using Lanes = typename detail::LanesOf<Number, Count>::type;

namespace detail {

// All of these are inlined into functions that are compiled for a wider instruction set than their own. For
// clang it is an error that the operand of an asm statement does not fit the vectors of the function where it
// is written; the "?", which means nothing here, keeps clang from looking.

/// Ends the operation that made the value, so that no compiler merges a product with the addition after it.
template <class Value>
[[gnu::always_inline]] inline void keep_rounded(Value& value) {
#if defined(__clang__) && !defined(__OPTIMIZE__)
  asm("" : "+m"(value));  // it also compiles the function alone, where no register is wide enough
#elif defined(__SSE2__)
  asm("" : "+?v"(value));
#elif defined(__aarch64__)
  asm("" : "+w"(value));
#else
  asm("" : "+m"(value));
#endif
}

/// `to = left * right`, rounded.
template <class Left, class Right, class Value>
[[gnu::always_inline]] inline void multiply(Left const& left, Right const& right, Value& to) {
  to = left * right;
  keep_rounded(to);
}

/// `to = left * right + addend`, both operations rounded.
template <class Left, class Right, class Value>
[[gnu::always_inline]] inline void multiply_add(Left const& left, Right const& right, Value const& addend,
                                                Value& to) {
  Value product;
  multiply(left, right, product);
  to = product + addend;
}

inline float scalar_square_root(float value) {
  return __builtin_sqrtf(value);
}
inline double scalar_square_root(double value) {
  return __builtin_sqrt(value);
}

/// `to = sqrt(from)`, rounded correctly.
template <class Real, int Count>
[[gnu::always_inline]] inline void square_root(Lanes<Real, Count> const& from, Lanes<Real, Count>& to) {
  if constexpr (Count == 1) {
    to = scalar_square_root(from);
#if defined(__SSE2__) && (defined(__OPTIMIZE__) || !defined(__clang__))
  } else if constexpr (sizeof(from) == 16 && sizeof(Real) == 4) {
    asm("sqrtps %1, %0" : "=x"(to) : "x"(from));
  } else if constexpr (sizeof(from) == 16) {
    asm("sqrtpd %1, %0" : "=x"(to) : "x"(from));
  } else if constexpr (sizeof(Real) == 4) {
    asm("vsqrtps %1, %0" : "=?v"(to) : "?v"(from));
  } else {
    asm("vsqrtpd %1, %0" : "=?v"(to) : "?v"(from));
#else
  } else {
    for (int lane = 0; lane < Count; ++lane) to[lane] = scalar_square_root(from[lane]);
#endif
  }
}

/// Fetches the `Bytes` bytes that lie `prefetch_distance` beyond an address, to be read, or written as well.
/// Asking for them long before, and at once for what will be done to them, is worth a fifth of the bandwidth
/// of memory to a loop that reads several arrays and writes one of them.
inline constexpr std::uintptr_t prefetch_distance = 1024;

template <int Bytes, bool ForWriting>
[[gnu::always_inline]] inline void prefetch(void const* address) {
  auto const beyond = reinterpret_cast<std::uintptr_t>(address) + prefetch_distance;  // may be past the end
  __builtin_prefetch(reinterpret_cast<void const*>(beyond), ForWriting ? 1 : 0);
  if constexpr (Bytes > 64) prefetch<Bytes - 64, ForWriting>(static_cast<char const*>(address) + 64);
}

}  // namespace detail
}  // namespace weir::inline v1
