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
