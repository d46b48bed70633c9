#include "weir/exec/group_layout.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mask/design_checks.hpp"

namespace {

using weir::GroupLayout;
using weir::GroupShape;

constexpr std::uint16_t two_by_two[] = {0, 0, 0, 1};
constexpr GroupLayout small = {GroupShape{4, 4, 2, 2, 2, 2}, two_by_two};

static_assert(weir::SearchableDesign<GroupLayout>);
static_assert(small.column(2, 1) == 3 && small.column(3, 1) == 2 && small.row(3, 1) == 2);
static_assert(small.contains(0, 2) && !small.contains(0, 1));
static_assert(small.nnz() == 8 && small.value_index(3, 1) == 7);

}  // namespace

TEST_CASE("GroupLayout: shapes that are cut on either side or both keep to the rules of a design") {
  std::vector<std::uint16_t> const cells = {0, 1, 2, 3, 1, 2, 3, 0, 2, 3, 0, 1};
  for (std::size_t outputs : {9u, 10u, 12u}) {
    for (std::size_t inputs : {13u, 15u, 16u}) {
      CAPTURE(outputs);
      CAPTURE(inputs);
      GroupLayout const layout = {GroupShape{outputs, inputs, 4, 2, 3, 4}, cells.data()};
      CHECK(fault_of(layout) == "");
      CHECK(layout.value_count() == 48);
    }
  }
}

TEST_CASE("GroupLayout: without powers, levels count up from the diagonal, or from 1 for a complement") {
  std::uint16_t const cells[] = {5};
  GroupLayout const layout = {GroupShape{8, 8, 8, 2, 1, 1, 7, 1}, cells};
  CHECK(fault_of(layout) == "");
  CHECK_FALSE(layout.contains(0, 5));
  CHECK(layout.nnz() == 56);
}

TEST_CASE("GroupLayout: with digits of base 3, offsets are added digit by digit") {
  std::uint16_t const cells[] = {4, 8};
  GroupLayout const layout = {GroupShape{9, 18, 9, 3, 1, 2}, cells};
  CHECK(layout.add(5, 8) == 1);  // 12 + 22 = 01 to the base 3
  CHECK(layout.subtract(1, 8) == 5);
  CHECK(fault_of(layout) == "");
}

TEST_CASE("GroupLayout: tables can be put elsewhere") {
  std::vector<std::uint16_t> tables(small.table_bytes() / 2);
  small.write_tables(tables.data());
  GroupLayout const moved = small.with_tables(tables.data());
  CHECK(moved.cells == tables.data());
  CHECK(moved.powers == nullptr);
  CHECK(matrix_of(moved) == matrix_of(small));
}
