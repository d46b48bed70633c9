#include "weir/mask/design/developed_layout.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <type_traits>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/mask/design.hpp"

namespace {

using weir::DevelopedLayout;
using weir::FieldAddition;
using weir::GaloisField;
using weir::PairAddition;

static_assert(weir::SearchableDesign<DevelopedLayout<FieldAddition>>);
static_assert(std::is_trivially_copyable_v<DevelopedLayout<PairAddition>>);  // so that kernels can have it

constexpr std::uint32_t set[] = {0, 5, 7};
constexpr DevelopedLayout<FieldAddition> by_digits = {{GaloisField(9)}, 3, set};
static_assert(by_digits.column(4, 1) == 6);  // 12 + 11 to the base 3 is 20
static_assert(by_digits.row(6, 1) == 4 && by_digits.row_slot(4, 6) == 1 && !by_digits.contains(4, 5));

}  // namespace

TEST_CASE("DevelopedLayout: rows and columns are each other's inverse, of fields and of pairs") {
  CHECK(fault_of(by_digits) == "");
  CHECK(fault_of(DevelopedLayout<PairAddition>{{GaloisField(4), GaloisField(3)}, 3, set}) == "");
}

TEST_CASE("DevelopedLayout: the table can be put elsewhere") {
  CHECK(by_digits.table_bytes() == 12);
  std::vector<std::uint32_t> table(3);
  by_digits.write_tables(table.data());
  auto const elsewhere = by_digits.with_tables(table.data());
  CHECK(elsewhere.set == table.data());
  CHECK(matrix_of(elsewhere) == matrix_of(by_digits));
}

TEST_CASE("PairAddition: both parts are added on their own") {
  PairAddition const pairs{GaloisField(4), GaloisField(9)};
  CHECK(pairs.order() == 36);
  CHECK(pairs.add(3 * 9 + 8, 1 * 9 + 4) == 2 * 9 + 0);  // 3 xor 1; 22 + 11 to the base 3
  CHECK(pairs.subtract(2 * 9 + 0, 1 * 9 + 4) == 3 * 9 + 8);
}
