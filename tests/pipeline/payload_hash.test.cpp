#include "weir/pipeline/payload_hash.hpp"

#include <doctest/doctest.h>

#include <vector>

TEST_CASE("every bit that the samples fill changes the hash, and no other") {
  weir::detail::MessageLayout const layout{{3, 1}, {0, 64}, 128};
  std::vector<std::byte> data(128, std::byte(1));
  auto const hash = [&] {
    weir::detail::PayloadHash result;
    result.add(&layout, data.data(), 3, 4);
    return result.value();
  };
  auto const before = hash();
  for (std::size_t bit = 0; bit < 8 * data.size(); ++bit) {
    std::size_t const at = bit / 8;
    bool const is_filled = at < 36 || (at >= 64 && at < 76);
    data[at] ^= std::byte(1u << bit % 8);
    CHECK((hash() != before) == is_filled);
    data[at] ^= std::byte(1u << bit % 8);
  }
  weir::detail::PayloadHash nothing;
  nothing.add(nullptr, data.data(), 3, 4);
  nothing.add(&layout, nullptr, 3, 4);
  CHECK(nothing.value() == weir::detail::PayloadHash{}.value());
}
