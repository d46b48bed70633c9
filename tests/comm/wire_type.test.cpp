#include "weir/comm/wire_type.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

using weir::WireType;

namespace {
struct Pair {
  std::uint32_t index;
  float value;
};
}  // namespace

TEST_CASE("every element type has its wire type, and what is no number travels as bytes") {
  CHECK(weir::wire_type_of<float> == WireType::float32);
  CHECK(weir::wire_type_of<double const> == WireType::float64);
  CHECK(weir::wire_type_of<weir::half> == WireType::float16);
  CHECK(weir::wire_type_of<weir::bfloat16> == WireType::bfloat16);
  CHECK(weir::wire_type_of<std::int32_t> == WireType::int32);
  CHECK(weir::wire_type_of<std::uint32_t> == WireType::uint32);
  CHECK(weir::wire_type_of<long long> == WireType::int64);
  CHECK(weir::wire_type_of<std::size_t> == WireType::uint64);
  CHECK(weir::wire_type_of<std::byte> == WireType::bytes);
  CHECK(weir::wire_type_of<Pair> == WireType::bytes);
}

TEST_CASE("numbers can be reduced, bytes only moved, pointers neither") {
  static_assert(weir::Reducible<float> && weir::Reducible<weir::half> && weir::Reducible<std::uint64_t>);
  static_assert(weir::Transferable<Pair> && !weir::Reducible<Pair> && !weir::Reducible<std::int8_t>);
  static_assert(!weir::Transferable<float*> && !weir::Transferable<std::string>);
  CHECK(size_of(weir::wire_type_of<float>) == sizeof(float));
}

TEST_CASE("wire types have names and sizes") {
  CHECK(std::string(name_of(WireType::bytes)) == "bytes");
  CHECK(std::string(name_of(WireType::uint64)) == "uint64");
  CHECK(std::string(name_of(static_cast<WireType>(99))) == "unknown");
  CHECK(size_of(WireType::bytes) == 1);
  CHECK(size_of(WireType::bfloat16) == 2);
  CHECK(size_of(WireType::int32) == 4);
  CHECK(size_of(WireType::float64) == 8);
}
