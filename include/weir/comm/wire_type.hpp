#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/half.hpp"

namespace weir::inline v1 {

/// What travels between ranks, where it is known at run time only. Everything that is no number is `bytes`.
enum class WireType : std::uint8_t {
  bytes,
  float16,
  bfloat16,
  float32,
  float64,
  int32,
  uint32,
  int64,
  uint64
};

constexpr std::size_t size_of(WireType type) {
  switch (type) {
    case WireType::bytes:
      return 1;
    case WireType::float16:
    case WireType::bfloat16:
      return 2;
    case WireType::float32:
    case WireType::int32:
    case WireType::uint32:
      return 4;
    case WireType::float64:
    case WireType::int64:
    case WireType::uint64:
      return 8;
  }
  return 1;
}

constexpr char const* name_of(WireType type) {
  constexpr char const* names[] = {"bytes", "float16", "bfloat16", "float32", "float64",
                                   "int32", "uint32",  "int64",    "uint64"};
  auto const index = static_cast<std::size_t>(type);
  return index < sizeof(names) / sizeof(names[0]) ? names[index] : "unknown";
}

namespace detail {
template <class T>
constexpr WireType find_wire_type() {
  if constexpr (std::same_as<T, half>) return WireType::float16;
  if constexpr (std::same_as<T, bfloat16>) return WireType::bfloat16;
  if constexpr (std::same_as<T, float>) return WireType::float32;
  if constexpr (std::same_as<T, double>) return WireType::float64;
  if constexpr (std::integral<T> && sizeof(T) == 4) {
    return std::is_signed_v<T> ? WireType::int32 : WireType::uint32;
  }
  if constexpr (std::integral<T> && sizeof(T) == 8) {
    return std::is_signed_v<T> ? WireType::int64 : WireType::uint64;
  }
  return WireType::bytes;
}
}  // namespace detail

/// The run-time name of a C++ element type.
template <class T>
inline constexpr WireType wire_type_of = detail::find_wire_type<std::remove_cv_t<T>>();

/// What can be moved between ranks: its bytes are its value.
template <class T>
concept Transferable = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>;

/// What can be combined over ranks: float, double, half, bfloat16, and integers of 32 and 64 bits. Elements
/// of 16 bits are combined in float and rounded once.
template <class T>
concept Reducible = Transferable<T> && wire_type_of<T>
!= WireType::bytes;

}  // namespace weir::inline v1
