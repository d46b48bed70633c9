#include "weir/mask/design/permuted.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/affine_geometry.hpp"

TEST_CASE("permuted: rows and columns stand where they are told to") {
  weir::AffineGeometry const plane(2);
  auto const other = weir::permuted(plane, {5, 4, 3, 2, 1, 0}, {1, 2, 3, 0});
  CHECK(fault_of(other) == "");
  std::uint32_t const columns[] = {1, 2, 3, 0};
  for (std::size_t r = 0; r < 6; ++r) {
    for (std::size_t c = 0; c < 4; ++c) CHECK(other.contains(r, c) == plane.contains(5 - r, columns[c]));
  }
}

TEST_CASE(
    "permuted: copies are block designs, differ for the first 1,000 seeds, and 0 is the design itself") {
  weir::AffineGeometry const plane(4);
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) seen.insert(matrix_of(weir::permuted(plane, seed)));
  CHECK(seen.size() == 1000);
  CHECK(matrix_of(weir::permuted(plane, 0)) == matrix_of(plane));
  check_exact(weir::permuted(plane, 77), {16, 20, 5, 4, 1});
}

TEST_CASE("permuted: an order that is no permutation is refused") {
  weir::AffineGeometry const plane(2);
  CHECK_THROWS_WITH_AS(weir::permuted(plane, {0, 1, 2, 3, 4}, {0, 1, 2, 3}),
                       "permuted: the rows are no permutation of 6", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::permuted(plane, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 2}),
                       "permuted: the columns are no permutation of 4", weir::ContractViolation);
}
