#include "weir/mask/design/indexed.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/group.hpp"

using weir::IndexedDesign;

TEST_CASE("IndexedDesign: has the entries of the design it is made of") {
  weir::GroupDesign const design{{29, 43, 8, 5}};
  auto const wide = IndexedDesign<std::uint32_t>::of(design);
  auto const narrow = IndexedDesign<std::uint16_t>::of(design);
  CHECK(fault_of(wide) == "");
  CHECK(fault_of(narrow) == "");
  CHECK(matrix_of(wide) == matrix_of(design));
  CHECK(matrix_of(narrow) == matrix_of(design));
  CHECK(narrow.table_bytes() == 4 * (30 + 44 + design.nnz()) + 4 * design.nnz());
}

TEST_CASE("IndexedDesign: rows that are none are refused") {
  using Narrow = IndexedDesign<std::uint8_t>;
  CHECK_NOTHROW(Narrow(3, {0, 2, 2}, {0, 2}));
  CHECK_THROWS_AS(Narrow(3, {0, 2, 3}, {0, 2}), weir::ContractViolation);
  CHECK_THROWS_AS(Narrow(3, {0, 2, 1, 2}, {0, 2}), weir::ContractViolation);
  CHECK_THROWS_AS(Narrow(3, {0, 2}, {2, 0}), weir::ContractViolation);
  CHECK_THROWS_AS(Narrow(3, {0, 2}, {1, 1}), weir::ContractViolation);
  CHECK_THROWS_AS(Narrow(2, {0, 2}, {0, 2}), weir::ContractViolation);
  CHECK_THROWS_AS(Narrow(300, {0, 2}, {0, 2}), weir::ContractViolation);
}
