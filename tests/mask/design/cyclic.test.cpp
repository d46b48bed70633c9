#include "weir/mask/design/cyclic.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/design/quartic_residue.hpp"

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

TEST_CASE("CyclicDesign: whatever the seed, a copy is made at once") {
  // So many shifts, and numbers prime to v that give another set, up to multipliers: squares and powers of p.
  auto const begins_again = [](CyclicDesign const& design, std::uint64_t kinds) {
    std::uint64_t const copies = design.outputs() * kinds;
    CAPTURE(copies);
    CHECK(design.copy(copies).differences() == design.differences());
    for (std::uint64_t const seed : {copies - 1, copies / 2 + 1}) {
      CHECK(design.copy(seed).differences() != design.differences());
      CHECK(design.copy(seed + 1'000'000 * copies).differences() == design.copy(seed).differences());
    }
    std::uint64_t const last = ~std::uint64_t{0};
    CHECK(design.copy(last).differences() == design.copy(last % copies).differences());
  };
  begins_again(CyclicDesign(4003, weir::paley_set(4003)), 2);
  begins_again(CyclicDesign(100'003, weir::paley_set(100'003)), 2);
  begins_again(weir::QuarticResidueDesign(16901), 4);
  begins_again(weir::ProjectiveGeometry(31), 660 / 3);    // 993 = 3 x 331; 1, 31 and 31^2
  begins_again(weir::ProjectiveGeometry(64), 2592 / 18);  // 4161 = 3 x 19 x 73; 18 powers of 2
  check_exact(weir::ProjectiveGeometry(16).copy(123'456'789), {273, 273, 17, 17, 1});
  CHECK(CyclicDesign(4003, weir::paley_set(4003)).copy(123'456'789).outputs() == 4003);
}

TEST_CASE("CyclicDesign: sets that are no difference sets have copies, too") {
  for (CyclicDesign const& design : {CyclicDesign(15, {0, 3, 6, 9, 12}), CyclicDesign(12, {0, 1, 4, 6}),
                                     CyclicDesign(10, {1, 2, 3, 4, 5, 6, 7}), CyclicDesign(9, {})}) {
    for (std::uint64_t seed : {5u, 40u, 1'000'001u})
      CHECK(design.copy(seed).differences().size() == design.differences().size());
  }
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
