#include "weir/exec/indexed_layout.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mask/design_checks.hpp"

namespace {

// x . x
// . . .
// . x x
constexpr std::uint32_t row_begin[] = {0, 2, 2, 4};
constexpr std::uint32_t column_begin[] = {0, 1, 2, 4};
constexpr std::uint32_t positions[] = {0, 2, 1, 3};
constexpr std::uint16_t columns[] = {0, 2, 1, 2};
constexpr std::uint16_t rows[] = {0, 2, 0, 2};
constexpr weir::IndexedLayout<std::uint16_t> layout = {3,         3,       4,   row_begin, column_begin,
                                                       positions, columns, rows};

static_assert(weir::SearchableDesign<weir::IndexedLayout<std::uint16_t>>);
static_assert(layout.nnz() == 4 && layout.row_degree(1) == 0 && layout.value_index_transposed(2, 0) == 1);

}  // namespace

TEST_CASE("IndexedLayout: rows and columns may be empty") {
  CHECK(fault_of(layout) == "");
  CHECK(matrix_of(layout) == std::vector<std::uint8_t>{1, 0, 1, 0, 0, 0, 0, 1, 1});
}

TEST_CASE("IndexedLayout: the tables can be put elsewhere") {
  std::vector<std::uint32_t> tables((layout.table_bytes() + 3) / 4);
  layout.write_tables(tables.data());
  auto const moved = layout.with_tables(tables.data());
  CHECK(moved.row_begin == tables.data());
  CHECK(fault_of(moved) == "");
  CHECK(matrix_of(moved) == matrix_of(layout));
}

TEST_CASE("IndexedLayout: values beyond 2^31 have their places") {
  std::uint32_t const begin[] = {0, 4'000'000'000u, 4'000'000'003u};
  weir::IndexedLayout<std::uint16_t> large;
  large.row_begin = begin;
  CHECK(large.value_index(1, 2) == 4'000'000'002u);
  CHECK(large.value_index(0, 3'999'999'999u) == 3'999'999'999u);
}
