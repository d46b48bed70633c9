#include "weir/state/checksum.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <vector>

namespace {

std::vector<std::byte> some_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 37 + 11);
  return bytes;
}

}  // namespace

TEST_CASE("the checksum does not depend on the pieces") {
  std::vector<std::byte> const bytes = some_bytes(75);
  std::uint64_t const expected = weir::checksum(bytes);
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      weir::Checksum sum;
      sum.add(std::span{bytes}.first(first));
      sum.add(std::span{bytes}.subspan(first, second - first));
      sum.add(std::span{bytes}.subspan(second));
      REQUIRE(sum.value() == expected);
    }
  }
}

TEST_CASE("any byte changed changes the checksum") {
  for (std::size_t size : {1u, 7u, 8u, 9u, 40u}) {
    std::vector<std::byte> bytes = some_bytes(size);
    std::uint64_t const expected = weir::checksum(bytes);
    for (std::byte& byte : bytes) {
      for (unsigned flip = 1; flip < 256; ++flip) {
        byte ^= static_cast<std::byte>(flip);
        REQUIRE(weir::checksum(bytes) != expected);
        byte ^= static_cast<std::byte>(flip);
      }
    }
  }
}

TEST_CASE("zeros at the end count") {
  std::set<std::uint64_t> seen;
  for (std::size_t size = 0; size < 100; ++size) seen.insert(weir::checksum(std::vector<std::byte>(size)));
  CHECK(seen.size() == 100);
}

TEST_CASE("words that change places change the checksum") {
  std::uint64_t const there[] = {1, 2, 3};
  std::uint64_t const back[] = {3, 2, 1};
  CHECK(weir::checksum(std::as_bytes(std::span{there})) != weir::checksum(std::as_bytes(std::span{back})));
}

TEST_CASE("the checksum is the one that was written down, so that old files stay readable") {
  CHECK(weir::checksum({}) == 9879245512798113438u);
  CHECK(weir::checksum(std::as_bytes(std::span{std::string_view{"weir holds the water"}})) ==
        6740293727927628113u);
}
