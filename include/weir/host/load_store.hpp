#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/convert.hpp"
#include "weir/core/half.hpp"
#include "weir/exec/arithmetic_element.hpp"
#include "weir/host/lanes.hpp"

namespace weir::inline v1 {

namespace detail {

/// `to = condition ? one : other`, lane by lane, for the result of a comparison.
template <class Condition, class Value>
[[gnu::always_inline]] inline void select(Condition const& condition, Value const& one, Value const& other,
                                          Value& to) {
  Value const mask = reinterpret_cast<Value>(condition);
  to = (one & mask) | (other & ~mask);
}

// The four conversions of core/half.hpp in lanes. Comparisons are signed, because SSE2 has no others.

template <int Count>
[[gnu::always_inline]] inline void widen_half(Lanes<std::uint32_t, Count> const& bits,
                                              Lanes<float, Count>& to) {
  using Words = Lanes<std::uint32_t, Count>;
  using Signed = Lanes<std::int32_t, Count>;
  using Floats = Lanes<float, Count>;
  constexpr std::uint32_t rebias = 112u << 23;
  constexpr std::uint32_t smallest_normal = 113u << 23;  // 2^-14

  Words const sign = (bits & 0x8000u) << 16;
  Words const magnitude = (bits & 0x7fffu) << 13;
  Words const exponent = bits & 0x7c00u;
  Words const normal = magnitude + rebias;
  Floats const shifted = reinterpret_cast<Floats>(magnitude + smallest_normal) - float_of(smallest_normal);
  Words const subnormal = reinterpret_cast<Words>(shifted);
  Words const is_nan =
      reinterpret_cast<Words>(reinterpret_cast<Signed>(bits & 0x7fffu) > 0x7c00) & 0x40'0000u;
  Words const special = magnitude | float_infinity | is_nan;

  Words finite, result;
  select(reinterpret_cast<Signed>(exponent) == 0, subnormal, normal, finite);
  select(reinterpret_cast<Signed>(exponent) == 0x7c00, special, finite, result);
  to = reinterpret_cast<Floats>(result | sign);
}

template <int Count>
[[gnu::always_inline]] inline void widen_bfloat16(Lanes<std::uint32_t, Count> const& bits,
                                                  Lanes<float, Count>& to) {
  using Words = Lanes<std::uint32_t, Count>;
  using Signed = Lanes<std::int32_t, Count>;
  Words const is_nan =
      reinterpret_cast<Words>(reinterpret_cast<Signed>(bits & 0x7fffu) > 0x7f80) & 0x40'0000u;
  to = reinterpret_cast<Lanes<float, Count>>((bits << 16) | is_nan);
}

template <int Count>
[[gnu::always_inline]] inline void narrow_half(Lanes<float, Count> const& from,
                                               Lanes<std::uint32_t, Count>& to) {
  using Words = Lanes<std::uint32_t, Count>;
  using Signed = Lanes<std::int32_t, Count>;
  using Floats = Lanes<float, Count>;
  constexpr std::int32_t smallest_normal = 0x3880'0000;  // 2^-14
  constexpr std::int32_t infinite_from = 0x4780'0000;    // 2^16
  constexpr std::uint32_t rebias = 112u << 23;
  constexpr std::uint32_t one_half = 0x3f00'0000;

  Words const bits = reinterpret_cast<Words>(from);
  Words const sign = (bits >> 16) & 0x8000u;
  Words const magnitude = bits & 0x7fff'ffffu;
  Signed const compared = reinterpret_cast<Signed>(magnitude);
  Words const normal = (magnitude - rebias + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  Words const subnormal = reinterpret_cast<Words>(reinterpret_cast<Floats>(magnitude) + 0.5f) - one_half;
  Words const quiet_nan = ((magnitude >> 13) & 0x3ffu) | 0x7e00u;
  Words infinite = {};
  infinite |= 0x7c00u;  // `Words{} + ..` crashes nvcc 13.0

  Words finite, special, result;
  select(compared < smallest_normal, subnormal, normal, finite);
  select(compared > static_cast<std::int32_t>(float_infinity), quiet_nan, infinite, special);
  select(compared >= infinite_from, special, finite, result);
  to = result | sign;
}

template <int Count>
[[gnu::always_inline]] inline void narrow_bfloat16(Lanes<float, Count> const& from,
                                                   Lanes<std::uint32_t, Count>& to) {
  using Words = Lanes<std::uint32_t, Count>;
  using Signed = Lanes<std::int32_t, Count>;
  Words const bits = reinterpret_cast<Words>(from);
  Words const rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  Words const quiet_nan = (bits >> 16) | 0x40u;
  select(reinterpret_cast<Signed>(bits & 0x7fff'ffffu) > static_cast<std::int32_t>(float_infinity), quiet_nan,
         rounded, to);
}

/// `to = from`, lane by lane: float to double, or 16-bit to 32-bit words. Both are exact.
template <class From, class To>
[[gnu::always_inline]] inline void widen(From const& from, To& to) {
#if defined(__x86_64__) && !defined(__clang__) && !defined(__CUDACC__)
  // One instruction, where g++ 12 takes four. (nvcc forgets that lambdas are to be inlined, and those that
  // call this have no such registers on their own.)
  if constexpr (sizeof(To) > 16 && sizeof(to[0]) == 8) {
    asm("vcvtps2pd %1, %0" : "=?v"(to) : "?v"(from));
    return;
  } else if constexpr (sizeof(To) > 16) {
    asm("vpmovzxwd %1, %0" : "=?v"(to) : "?v"(from));
    return;
  }
#endif
  to = __builtin_convertvector(from, To);
}

/// Reads `Count` elements from an address of any alignment, converted to `Real`.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void load(Element const* from, Lanes<Real, Count>& to) {
  if constexpr (std::is_same_v<Element, Real>) {
    __builtin_memcpy(&to, from, sizeof(to));
  } else if constexpr (Count == 1) {
    to = convert<Real>(*from);
  } else if constexpr (std::is_floating_point_v<Element>) {
    Lanes<Element, Count> elements;
    __builtin_memcpy(&elements, from, sizeof(elements));
    if constexpr (sizeof(Element) < sizeof(Real)) {
      widen(elements, to);
    } else {
      to = __builtin_convertvector(elements, Lanes<Real, Count>);
    }
  } else {
    Lanes<std::uint16_t, Count> elements;
    __builtin_memcpy(&elements, from, sizeof(elements));
    Lanes<std::uint32_t, Count> bits;
    Lanes<float, Count> floats;
    widen(elements, bits);
    if constexpr (std::is_same_v<Element, half>) {
      widen_half<Count>(bits, floats);
    } else {
      widen_bfloat16<Count>(bits, floats);
    }
    if constexpr (std::is_same_v<Real, float>) {
      to = floats;
    } else {
      widen(floats, to);
    }
  }
}

/// Writes `Count` elements to an address of any alignment, each rounded to nearest even.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void store(Lanes<Real, Count> const& from, Element* to) {
  if constexpr (std::is_same_v<Element, Real>) {
    __builtin_memcpy(static_cast<void*>(to), &from, sizeof(from));
  } else if constexpr (Count == 1) {
    *to = convert<Element>(from);
  } else if constexpr (std::is_floating_point_v<Element>) {
    Lanes<Element, Count> const elements = __builtin_convertvector(from, Lanes<Element, Count>);
    __builtin_memcpy(static_cast<void*>(to), &elements, sizeof(elements));
  } else if constexpr (std::is_same_v<Real, double>) {
    for (int lane = 0; lane < Count; ++lane) to[lane] = convert<Element>(static_cast<double>(from[lane]));
  } else {
    Lanes<std::uint32_t, Count> bits;
    if constexpr (std::is_same_v<Element, half>) {
      narrow_half<Count>(from, bits);
    } else {
      narrow_bfloat16<Count>(from, bits);
    }
    Lanes<std::uint16_t, Count> const elements = __builtin_convertvector(bits, Lanes<std::uint16_t, Count>);
    __builtin_memcpy(static_cast<void*>(to), &elements, sizeof(elements));
  }
}

}  // namespace detail
}  // namespace weir::inline v1
