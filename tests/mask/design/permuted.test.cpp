#include "weir/mask/design/permuted.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/steiner_triple.hpp"

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

TEST_CASE("permuted: where chance alone would give a copy twice, the first 1,000 seeds differ") {
  weir::SteinerTripleSystem const triples(7);
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    auto const copy = weir::permuted(triples, seed);
    seen.insert(matrix_of(copy));
    if (seed % 100 == 29) check_exact(copy, {7, 7, 3, 3, 1});
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("permuted: a design with fewer copies gives them all the same") {
  weir::GroupDesign const full{{8, 8, 1}};
  CHECK(matrix_of(weir::permuted(full, 999)) == matrix_of(full));
  weir::GroupDesign const halves{{8, 4, 4}};  // 8! / (2!)^4 copies
  CHECK(fault_of(weir::permuted(halves, 999)) == "");
}

TEST_CASE("permuted: an order that is no permutation is refused") {
  weir::AffineGeometry const plane(2);
  CHECK_THROWS_WITH_AS(weir::permuted(plane, {0, 1, 2, 3, 4}, {0, 1, 2, 3}),
                       "permuted: the rows are no permutation of 6", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::permuted(plane, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 2}),
                       "permuted: the columns are no permutation of 4", weir::ContractViolation);
}
