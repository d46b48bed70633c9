#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/entry_table.cuh"

namespace {

using weir::detail::EntryTable;
using Entry = std::tuple<std::size_t, std::size_t, std::size_t>;  // output, input, value

/// Writes down what is visited.
struct Note {
  WEIR_HOST_DEVICE void operator()(std::uint32_t input, std::size_t at) const {
    inputs[*count] = input;
    values[*count] = at;
    ++*count;
  }
  std::uint32_t* inputs;
  std::size_t* values;
  std::size_t* count;
};

template <bool Transposed, class Layout>
std::vector<Entry> wanted(Layout const& layout) {
  std::vector<Entry> all;
  weir_test::for_each_entry(layout, [&](std::size_t row, std::size_t column, std::size_t at) {
    all.emplace_back(Transposed ? column : row, Transposed ? row : column, at);
  });
  std::sort(all.begin(), all.end());
  return all;
}

/// As the kernels ask for them: chunk by chunk.
template <bool Transposed, class Entries>
std::vector<Entry> got(Entries const& entries, std::size_t outputs, std::size_t inputs, unsigned columns) {
  std::vector<Entry> all;
  std::vector<std::uint32_t> listed(columns);
  std::vector<std::size_t> values(columns);
  for (std::size_t output = 0; output < outputs; ++output) {
    for (std::size_t first = 0; first < inputs; first += columns) {
      std::size_t const last = std::min(inputs, first + columns);
      std::size_t count = 0;
      weir::detail::visit_chunk<Transposed>(entries, output, first, last, columns,
                                            Note{listed.data(), values.data(), &count});
      for (std::size_t i = 0; i < count; ++i) {
        CHECK(first + listed[i] < last);
        all.emplace_back(output, first + listed[i], values[i]);
      }
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

template <class Layout, class Entries>
void check(Layout const& layout, Entries const& entries) {
  for (unsigned columns : {16u, 64u, 512u}) {
    CHECK(got<false>(entries, layout.outputs(), layout.inputs(), columns) == wanted<false>(layout));
    CHECK(got<true>(entries, layout.inputs(), layout.outputs(), columns) == wanted<true>(layout));
  }
}

/// Each value is where its place says, and padding is nowhere.
template <class Layout>
void check_places(Layout const& layout) {
  std::vector<std::pair<std::size_t, std::size_t>> places(layout.value_count(), {layout.outputs(), 0});
  weir_test::for_each_entry(layout, [&](std::size_t row, std::size_t column, std::size_t at) {
    places[at] = {row, column};
  });
  for (std::size_t value = 0; value < places.size(); ++value) {
    auto const place = weir::detail::place_of(layout, value);
    bool const is_there = place.row < layout.outputs() && place.column < layout.inputs();
    CHECK(is_there == (places[value].first < layout.outputs()));
    if (is_there) CHECK(std::pair(place.row, place.column) == places[value]);
  }
}

}  // namespace

TEST_CASE("a table has the entries of its layout, whatever chunks are asked for") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    play::each_entry_layout(seed, [](auto const& layout) {
      auto const table = EntryTable::of(layout);
      check(layout, table);
      CHECK(table.has_padding() == (layout.value_count() != layout.nnz()));
      for (std::size_t row = 0; row < layout.outputs(); ++row) {
        for (std::size_t column = 0; column < layout.inputs(); ++column)
          CHECK(table.contains(row, column) == layout.contains(row, column));
      }
    });
  }
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    auto const design = play::group_design(seed);
    check(design.layout(), design.layout());
    check(design.layout(), EntryTable::of(design.layout()));
  }
}

TEST_CASE("the place of a value is the inverse of the values' index") {
  for (std::uint64_t seed = 0; seed < 15; ++seed) check_places(play::group_design(seed).layout());
  weir::CyclicDesign const cyclic(31, {1, 5, 11, 24, 25, 27});
  check_places(cyclic.layout());
  check_places(weir::IndexedDesign<std::uint16_t>::of(cyclic).layout());
  weir::IndexedDesign<std::uint32_t> const gaps(50, {0, 0, 3, 3, 6, 6}, {0, 7, 49, 6, 13, 14});
  check_places(gaps.layout());
}

TEST_CASE("the tiles of a line are those of the grid") {
  weir::GroupDesign const grid{{.outputs = 9, .inputs = 11, .group = 4, .levels = 2}};
  auto const layout = weir::TiledLayout<weir::GroupLayout>{grid.layout(), 11 * 8 - 3, 9 * 8, 8};
  auto const table = EntryTable::of(layout);
  for (std::size_t line = 0; line < 9; ++line) {
    REQUIRE(table.tiles_of<false>(line) == grid.row_degree(line));
    for (std::size_t slot = 0; slot < grid.row_degree(line); ++slot) {
      CHECK(table.tile<false>(line, slot).input == grid.column(line, slot));
      CHECK(table.tile<false>(line, slot).value == grid.value_index(line, slot));
      CHECK(table.tile_place(grid.value_index(line, slot)).row == line);
    }
  }
  for (std::size_t line = 0; line < 11; ++line) {
    REQUIRE(table.tiles_of<true>(line) == grid.column_degree(line));
    for (std::size_t slot = 0; slot < grid.column_degree(line); ++slot) {
      CHECK(table.tile<true>(line, slot).input == grid.row(line, slot));
      CHECK(table.tile<true>(line, slot).value == grid.value_index_transposed(line, slot));
    }
  }
}
