#include "weir/compress/coarse_size.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <set>

TEST_CASE("coarse sizes are few, and an eighth above the exact ones at most") {
  std::set<std::size_t> sizes;
  for (std::size_t size = 0; size < 100'000; ++size) {
    std::size_t const coarse = weir::detail::coarse_size(size);
    REQUIRE(coarse >= size);
    REQUIRE(8 * (coarse - size) <= size);
    sizes.insert(coarse);
  }
  CHECK(sizes.size() < 150);
  CHECK(weir::detail::coarse_size(16) == 16);
  CHECK(weir::detail::coarse_size(33) == 36);
}
