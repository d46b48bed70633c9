#include "weir/mask/design/cyclic.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/projective_geometry.hpp"

using weir::CyclicDesign;

TEST_CASE("CyclicDesign: copies differ until all have been given") {
  CyclicDesign const plane(7, {1, 2, 4});
  std::set<std::vector<std::uint32_t>> seen;
  for (std::uint64_t seed = 0; seed < 14; ++seed) {
    check_exact(plane.copy(seed), {7, 7, 3, 3, 1});
    seen.insert(plane.copy(seed).differences());
  }
  CHECK(seen.size() == 14);  // 7 shifts of the set and of its opposite
  CHECK(plane.copy(14).differences() == plane.differences());

  weir::ProjectiveGeometry const large(31);
  seen.clear();
  for (std::uint64_t seed = 0; seed < 1000; ++seed) seen.insert(large.copy(seed).differences());
  CHECK(seen.size() == 1000);
}

TEST_CASE("CyclicDesign: the complement is cyclic") {
  CHECK(CyclicDesign(7, {1, 2, 4}).complement().differences() == std::vector<std::uint32_t>{0, 3, 5, 6});
}

TEST_CASE("CyclicDesign: tables take 4 bytes per difference") {
  CHECK(weir::ProjectiveGeometry(31).table_bytes() == 4 * 32);
}

TEST_CASE("CyclicDesign: differences that are none are refused") {
  CHECK_THROWS_AS(CyclicDesign(7, {1, 7}), weir::ContractViolation);
  CHECK_THROWS_AS(CyclicDesign(7, {2, 1}), weir::ContractViolation);
}
