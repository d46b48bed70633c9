#include "weir/state/archive_type.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

template <class Element>
void check(weir::ArchiveType type, std::string_view name) {
  CHECK(weir::archive_type_of<Element>() == type);
  CHECK(weir::detail::traits_of(type).name == name);
  CHECK(weir::detail::traits_of(type).size == sizeof(Element));
}

static_assert(!weir::ArchiveElement<bool> && !weir::ArchiveElement<long double> &&
              !weir::ArchiveElement<char*>);

}  // namespace

TEST_CASE("every element type has its own name and its size") {
  using weir::ArchiveType;
  check<std::byte>(ArchiveType::bytes, "bytes");
  check<char>(ArchiveType::text, "text");
  check<std::int8_t>(ArchiveType::int8, "int8");
  check<std::int16_t>(ArchiveType::int16, "int16");
  check<std::int32_t>(ArchiveType::int32, "int32");
  check<std::int64_t>(ArchiveType::int64, "int64");
  check<std::uint8_t>(ArchiveType::uint8, "uint8");
  check<std::uint16_t>(ArchiveType::uint16, "uint16");
  check<std::uint32_t>(ArchiveType::uint32, "uint32");
  check<std::uint64_t>(ArchiveType::uint64, "uint64");
  check<weir::half>(ArchiveType::float16, "float16");
  check<weir::bfloat16>(ArchiveType::bfloat16, "bfloat16");
  check<float>(ArchiveType::float32, "float32");
  check<double>(ArchiveType::float64, "float64");
  check<std::size_t>(ArchiveType::uint64, "uint64");
  check<long long>(ArchiveType::int64, "int64");
}

TEST_CASE("a number that is no type has no name") {
  for (std::uint64_t number : {std::uint64_t{0}, std::uint64_t{15}, ~std::uint64_t{0}}) {
    CHECK(weir::detail::traits_of(static_cast<weir::ArchiveType>(number)).name == nullptr);
  }
}
