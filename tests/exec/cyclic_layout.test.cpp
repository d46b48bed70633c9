#include "weir/exec/cyclic_layout.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mask/design_checks.hpp"

namespace {

using weir::CyclicLayout;

constexpr std::uint32_t fano[] = {1, 2, 4};
constexpr CyclicLayout plane = {7, 3, fano};

static_assert(weir::SearchableDesign<CyclicLayout>);
static_assert(plane.column(6, 2) == 3 && plane.row(0, 0) == 6 && plane.value_index(6, 2) == 20);

}  // namespace

TEST_CASE("CyclicLayout: rows are shifts of the differences") {
  CHECK(fault_of(plane) == "");
  CHECK(plane.nnz() == 21);
  CHECK(plane.contains(3, 0));
  CHECK_FALSE(plane.contains(3, 3));
}

TEST_CASE("CyclicLayout: the table can be put elsewhere") {
  std::vector<std::uint32_t> table(plane.table_bytes() / 4);
  plane.write_tables(table.data());
  CHECK(plane.with_tables(table.data()).differences == table.data());
  CHECK(matrix_of(plane.with_tables(table.data())) == matrix_of(plane));
}

TEST_CASE("CyclicLayout: values beyond 2^32 have their places") {
  std::uint32_t const order = 4'000'000'007u, differences[] = {0, 5, 3'999'999'999u};
  weir::CyclicLayout const layout{order, 3, differences};
  CHECK(layout.nnz() == 3 * std::uint64_t{order});
  std::size_t const row = order - 1;
  CHECK(layout.value_index(row, 2) == 3 * std::uint64_t{order} - 1);
  for (std::size_t slot = 0; slot < 3; ++slot) {
    std::size_t const column = layout.column(row, slot), back = layout.column_slot(column, row);
    CHECK(column == (std::uint64_t{differences[slot]} + row) % order);
    CHECK(layout.row(column, back) == row);
    CHECK(layout.value_index_transposed(column, back) == layout.value_index(row, slot));
  }
}
