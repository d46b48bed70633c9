#include "weir/mask/certificate.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/dual.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"

namespace {

using weir::certify;
using weir::DesignParameters;

constexpr DesignParameters none = {};

}  // namespace

TEST_CASE("certify: one entry moved, and a design is none") {
  weir::CyclicDesign const plane(7, {1, 2, 4});
  CHECK(certify(plane) == DesignParameters{7, 7, 3, 3, 1});
  auto const rows = weir::IndexedDesign<>::of(plane);
  auto columns = std::vector<std::uint32_t>(rows.layout().columns, rows.layout().columns + 21);
  auto const begin = std::vector<std::uint32_t>(rows.layout().row_begin, rows.layout().row_begin + 8);
  CHECK(certify(weir::IndexedDesign<>(7, begin, columns)) != none);
  columns[0] = 0;  // was 1
  CHECK(certify(weir::IndexedDesign<>(7, begin, columns)) == none);
}

TEST_CASE("certify: the dual of a design that is not symmetric is none") {
  weir::AffineGeometry const plane(3);
  CHECK(certify(plane) == DesignParameters{9, 12, 4, 3, 1});
  CHECK(certify(weir::dual(plane)) == none);
}

TEST_CASE("certify: full rows, single entries and pairs that never meet are no design") {
  CHECK(certify(weir::GroupDesign{{5, 5, 1}}) == none);
  CHECK(certify(weir::GroupDesign{{16, 16, 16}}) == none);
  CHECK(certify(weir::GroupDesign{{16, 16, 4}}) == none);
  CHECK(certify(weir::GroupDesign{{4, 4, 4, 3}}) == DesignParameters{4, 4, 3, 3, 2});
}

TEST_CASE("row_degrees and column_degrees: the least and the most") {
  weir::GroupDesign const design{{42, 36, 4}};
  CHECK(weir::row_degrees(design) == weir::DegreeRange{9, 9});
  CHECK(weir::column_degrees(design) == weir::DegreeRange{10, 11});
}
