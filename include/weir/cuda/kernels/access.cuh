#pragma once

#include <cstddef>
#include <type_traits>

#include "weir/core/convert.hpp"
#include "weir/core/half.hpp"
#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/unroll.cuh"

namespace weir::inline v1 {
namespace detail {

/// Elements that lie in a row and are accessed at once: 16 bytes or a multiple of them, 8 bytes, or one
/// element. The address is a multiple of that.
template <class Element, int Width>
struct alignas(Width * sizeof(Element) >= 16 ? 16 : Width * sizeof(Element)) Pack {
  Element elements[Width];
};

/// How many elements an access of 16 bytes moves.
template <class Element>
inline constexpr int full_width = 16 / static_cast<int>(sizeof(Element));

/// What `bytes` are moved in.
template <std::size_t bytes>
struct AccessWordOf {
  using type =
      std::conditional_t<bytes == 2, unsigned short, std::conditional_t<bytes == 4, unsigned, uint2>>;
};
template <std::size_t bytes>
requires(bytes >= 16) struct AccessWordOf<bytes> {
  static_assert(bytes % 16 == 0);
  using type = uint4;
};

/// Reads what is not read again soon, so that it does not push from the caches what is.
template <class Element, int Width>
WEIR_HOST_DEVICE inline void load_once(Element const* from, Pack<Element, Width>& to) {
#if defined(__CUDA_ARCH__)
  using Word = typename AccessWordOf<sizeof(to)>::type;
  constexpr int count = sizeof(to) / sizeof(Word);
  Word words[count];
  unroll<count>([&](int i) { words[i] = __ldcs(reinterpret_cast<Word const*>(from) + i); });
  __builtin_memcpy(&to, words, sizeof(to));
#else
  __builtin_memcpy(static_cast<void*>(&to), from, sizeof(to));
#endif
}

template <class Element, int Width>
WEIR_HOST_DEVICE inline void store(Pack<Element, Width> const& from, Element* to) {
#if defined(__CUDA_ARCH__)
  using Word = typename AccessWordOf<sizeof(from)>::type;
  constexpr int count = sizeof(from) / sizeof(Word);
  Word words[count];
  __builtin_memcpy(words, &from, sizeof(from));
  unroll<count>([&](int i) { __stwb(reinterpret_cast<Word*>(to) + i, words[i]); });
#else
  __builtin_memcpy(static_cast<void*>(to), &from, sizeof(from));
#endif
}

// Numbers of other types. On the device by the instructions there are; what they make of a NaN is not what
// core/half.hpp makes of it, so there are two kinds of functions.

WEIR_HOST_DEVICE constexpr bool is_nan(float value) {
  return (bits_of(value) & 0x7fff'ffffu) > float_infinity;
}

/// `element`, exactly, to be computed with: any NaN stands for another.
template <class Real, class Element>
WEIR_HOST_DEVICE inline Real as_real(Element element) {
  if constexpr (std::is_same_v<Element, half>) {
#if defined(__CUDA_ARCH__)
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(element.bits()));
    return static_cast<Real>(value);
#else
    return static_cast<Real>(static_cast<float>(element));
#endif
  } else if constexpr (std::is_same_v<Element, bfloat16>) {
    return static_cast<Real>(float_of(static_cast<std::uint32_t>(element.bits()) << 16));
  } else {
    return static_cast<Real>(element);
  }
}

WEIR_HOST_DEVICE inline half narrowed(float value, half const*) {
#if defined(__CUDA_ARCH__)
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return is_nan(value) ? half(value) : half::from_bits(bits);
#else
  return half(value);
#endif
}

WEIR_HOST_DEVICE inline bfloat16 narrowed(float value, bfloat16 const*) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  unsigned short bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return is_nan(value) ? bfloat16(value) : bfloat16::from_bits(bits);
#else
  return bfloat16(value);
#endif
}

/// The bits of a NaN are moved as processors do it, quiet.
WEIR_HOST_DEVICE inline float narrowed(double value, float const*) {
  if (value == value) return static_cast<float>(value);
  auto const bits = __builtin_bit_cast(std::uint64_t, value);
  return float_of(static_cast<std::uint32_t>(bits >> 63) << 31 | 0x7fc0'0000u |
                  (static_cast<std::uint32_t>(bits >> 29) & 0x3f'ffffu));
}

WEIR_HOST_DEVICE inline double widened(float value) {
  if (!is_nan(value)) return static_cast<double>(value);
  std::uint64_t const bits = bits_of(value);
  return __builtin_bit_cast(double,
                            (bits & 0x8000'0000u) << 32 | 0x7ff8'0000'0000'0000u | (bits & 0x3f'ffffu) << 29);
}

/// One element, rounded once to nearest even, with the bits that `convert` gives on the host, also of a NaN.
template <class To, class From>
WEIR_HOST_DEVICE inline To same_bits(From from) {
  if constexpr (std::is_same_v<From, To>) {
    return from;
  } else if constexpr (std::is_same_v<From, half> || std::is_same_v<From, bfloat16>) {
    float const exact = as_real<float>(from);
    return same_bits<To>(is_nan(exact) ? static_cast<float>(from) : exact);
  } else if constexpr (std::is_same_v<To, double>) {
    return widened(from);
  } else if constexpr (std::is_same_v<From, double> && !std::is_same_v<To, float>) {
    float const nan = narrowed(from, static_cast<float const*>(nullptr));
    return narrowed(from == from ? sticky_float(from) : nan, static_cast<To const*>(nullptr));
  } else {
    return narrowed(from, static_cast<To const*>(nullptr));
  }
}

}  // namespace detail
}  // namespace weir::inline v1
