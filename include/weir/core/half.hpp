#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

namespace detail {

inline constexpr std::uint32_t float_infinity = 0x7f80'0000;

WEIR_HOST_DEVICE constexpr std::uint32_t bits_of(float value) {
  return __builtin_bit_cast(std::uint32_t, value);
}
WEIR_HOST_DEVICE constexpr float float_of(std::uint32_t bits) {
  return __builtin_bit_cast(float, bits);
}

// All cases are computed and one is selected, so that loops over these four functions are vectorised.

WEIR_HOST_DEVICE constexpr std::uint16_t half_from_float(float value) {
  constexpr std::uint32_t smallest_normal = 0x3880'0000;  // 2^-14
  constexpr std::uint32_t overflow = 0x4780'0000;         // 2^16
  constexpr std::uint32_t rebias = 112u << 23;
  constexpr std::uint32_t one_half = 0x3f00'0000;

  std::uint32_t const bits = bits_of(value);
  std::uint32_t const sign = (bits >> 16) & 0x8000u;
  std::uint32_t const magnitude = bits & 0x7fff'ffffu;
  std::uint32_t const is_odd = (magnitude >> 13) & 1u;

  std::uint32_t const normal = (magnitude - rebias + 0xfffu + is_odd) >> 13;
  // One unit in the last place of 0.5f is the smallest subnormal of a half: the addition rounds.
  std::uint32_t const subnormal = bits_of(float_of(magnitude) + 0.5f) - one_half;
  std::uint32_t const quiet_nan = 0x7e00u | ((magnitude >> 13) & 0x3ffu);

  std::uint32_t const finite = magnitude < smallest_normal ? subnormal : normal;
  std::uint32_t const special = magnitude > float_infinity ? quiet_nan : 0x7c00u;
  return static_cast<std::uint16_t>(sign | (magnitude >= overflow ? special : finite));
}

WEIR_HOST_DEVICE constexpr float float_from_half(std::uint16_t half_bits) {
  constexpr std::uint32_t rebias = 112u << 23;
  constexpr std::uint32_t smallest_normal = 113u << 23;  // 2^-14

  std::uint32_t const bits = half_bits;
  std::uint32_t const sign = (bits & 0x8000u) << 16;
  std::uint32_t const magnitude = (bits & 0x7fffu) << 13;
  std::uint32_t const exponent = bits & 0x7c00u;

  std::uint32_t const normal = magnitude + rebias;
  std::uint32_t const subnormal = bits_of(float_of(magnitude + smallest_normal) - float_of(smallest_normal));
  std::uint32_t const is_nan = (bits & 0x7fffu) > 0x7c00u ? 0x40'0000u : 0u;
  std::uint32_t const special = magnitude | float_infinity | is_nan;

  std::uint32_t const finite = exponent == 0 ? subnormal : normal;
  return float_of(sign | (exponent == 0x7c00u ? special : finite));
}

WEIR_HOST_DEVICE constexpr std::uint16_t bfloat16_from_float(float value) {
  std::uint32_t const bits = bits_of(value);
  std::uint32_t const is_odd = (bits >> 16) & 1u;
  std::uint32_t const rounded = (bits + 0x7fffu + is_odd) >> 16;
  std::uint32_t const quiet_nan = (bits >> 16) | 0x40u;
  return static_cast<std::uint16_t>((bits & 0x7fff'ffffu) > float_infinity ? quiet_nan : rounded);
}

WEIR_HOST_DEVICE constexpr float float_from_bfloat16(std::uint16_t bfloat16_bits) {
  std::uint32_t const bits = std::uint32_t{bfloat16_bits} << 16;
  std::uint32_t const is_nan = (bits & 0x7fff'ffffu) > float_infinity ? 0x40'0000u : 0u;
  return float_of(bits | is_nan);
}

}  // namespace detail

/// A number stored as IEEE 754 binary16: 11 significant bits, largest 65,504. For storage: arithmetic happens
/// in float. Has the layout of `__half` and `_Float16`.
///
/// A float is rounded to the nearest, ties to even; what is too large becomes infinite; a NaN stays one,
/// quiet.
class half {
 public:
  half() = default;
  WEIR_HOST_DEVICE constexpr explicit half(float value) : bits_(detail::half_from_float(value)) {}

  /// Exact.
  WEIR_HOST_DEVICE constexpr operator float() const { return detail::float_from_half(bits_); }

  WEIR_HOST_DEVICE static constexpr half from_bits(std::uint16_t bits) {
    half result{};
    result.bits_ = bits;
    return result;
  }
  WEIR_HOST_DEVICE constexpr std::uint16_t bits() const { return bits_; }

 private:
  std::uint16_t bits_;
};

/// A number stored as the upper half of a float: 8 significant bits and the range of float. For storage:
/// arithmetic happens in float. Has the layout of `__nv_bfloat16`.
///
/// A float is rounded to the nearest, ties to even; a NaN stays one, quiet.
class bfloat16 {
 public:
  bfloat16() = default;
  WEIR_HOST_DEVICE constexpr explicit bfloat16(float value) : bits_(detail::bfloat16_from_float(value)) {}

  /// Exact.
  WEIR_HOST_DEVICE constexpr operator float() const { return detail::float_from_bfloat16(bits_); }

  WEIR_HOST_DEVICE static constexpr bfloat16 from_bits(std::uint16_t bits) {
    bfloat16 result{};
    result.bits_ = bits;
    return result;
  }
  WEIR_HOST_DEVICE constexpr std::uint16_t bits() const { return bits_; }

 private:
  std::uint16_t bits_;
};

}  // namespace weir::inline v1
