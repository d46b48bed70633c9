#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/half.hpp"

namespace weir::inline v1 {

/// What the elements of a section of an archive are. The values are part of the format.
enum class ArchiveType : std::uint64_t {
  bytes = 1,
  text = 2,
  int8 = 3,
  int16 = 4,
  int32 = 5,
  int64 = 6,
  uint8 = 7,
  uint16 = 8,
  uint32 = 9,
  uint64 = 10,
  float16 = 11,
  bfloat16 = 12,
  float32 = 13,
  float64 = 14,
};

namespace detail {

struct ArchiveTypeTraits {
  char const* name;
  std::size_t size;
};

/// The name is null for what is no type.
constexpr ArchiveTypeTraits traits_of(ArchiveType type) {
  constexpr ArchiveTypeTraits known[] = {{nullptr, 0},    {"bytes", 1},   {"text", 1},   {"int8", 1},
                                         {"int16", 2},    {"int32", 4},   {"int64", 8},  {"uint8", 1},
                                         {"uint16", 2},   {"uint32", 4},  {"uint64", 8}, {"float16", 2},
                                         {"bfloat16", 2}, {"float32", 4}, {"float64", 8}};
  std::uint64_t const index = static_cast<std::uint64_t>(type);
  return known[index < sizeof known / sizeof *known ? index : 0];
}

template <std::size_t size, bool is_signed>
constexpr ArchiveType integer_type() {
  switch (size) {
    case 1:
      return is_signed ? ArchiveType::int8 : ArchiveType::uint8;
    case 2:
      return is_signed ? ArchiveType::int16 : ArchiveType::uint16;
    case 4:
      return is_signed ? ArchiveType::int32 : ArchiveType::uint32;
    default:
      return is_signed ? ArchiveType::int64 : ArchiveType::uint64;
  }
}

}  // namespace detail

/// A type that an archive can hold: numbers, storage twins, characters and raw bytes.
template <class Element>
concept ArchiveElement = std::same_as<Element, std::byte> || std::same_as<Element, half> ||
    std::same_as<Element, bfloat16> || std::same_as<Element, float> || std::same_as<Element, double> ||
    (std::integral<Element> && !std::same_as<Element, bool> && sizeof(Element) <= sizeof(std::uint64_t));

template <ArchiveElement Element>
constexpr ArchiveType archive_type_of() {
  if constexpr (std::same_as<Element, std::byte>) return ArchiveType::bytes;
  if constexpr (std::same_as<Element, char>) return ArchiveType::text;
  if constexpr (std::same_as<Element, half>) return ArchiveType::float16;
  if constexpr (std::same_as<Element, bfloat16>) return ArchiveType::bfloat16;
  if constexpr (std::same_as<Element, float>) return ArchiveType::float32;
  if constexpr (std::same_as<Element, double>) return ArchiveType::float64;
  return detail::integer_type<sizeof(Element), std::is_signed_v<Element>>();
}

}  // namespace weir::inline v1
