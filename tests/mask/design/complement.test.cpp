#include "weir/mask/design/complement.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/projective_geometry.hpp"

namespace {

template <class D>
bool has_exactly_the_others(D const& design) {
  auto const others = weir::complement(design);
  for (std::size_t r = 0; r < design.outputs(); ++r) {
    for (std::size_t c = 0; c < design.inputs(); ++c) {
      if (design.contains(r, c) == others.contains(r, c)) return false;
    }
  }
  return fault_of(others).empty();
}

}  // namespace

TEST_CASE("complement: of block designs") {
  check_exact(weir::complement(weir::AffineGeometry(3)), {9, 12, 8, 6, 5});
  check_exact(weir::complement(weir::ProjectiveGeometry(2)), {7, 7, 4, 4, 2});
  check_exact(weir::complement(weir::ProjectiveGeometry(3)), {13, 13, 9, 9, 6});
}

TEST_CASE("complement: too many entries are refused before any is made") {
  weir::AffineGeometry const plane(1621);
  CHECK_THROWS_WITH_AS(weir::complement(plane),
                       "complement: 6904494597240 entries, at most 2^32 - 1 would be right",
                       weir::ContractViolation);
}

TEST_CASE("complement: of group designs with any number of levels, cut or not") {
  for (std::uint32_t levels = 1; levels < 8; ++levels) {
    CAPTURE(levels);
    CHECK(has_exactly_the_others(weir::GroupDesign{{32, 40, 8, levels}}));
    CHECK(has_exactly_the_others(weir::GroupDesign{{29, 43, 8, levels}}));
  }
  CHECK(has_exactly_the_others(weir::GroupDesign{{29, 43, 9}}));
  CHECK_THROWS_AS(weir::complement(weir::GroupDesign{{4, 4, 1}}), weir::ContractViolation);
}
