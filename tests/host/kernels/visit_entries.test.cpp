#include "weir/host/kernels/visit_entries.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/design/tiled.hpp"
#include "weir/mask/design/twin_prime.hpp"

namespace {

using Entries = std::vector<std::pair<std::size_t, std::size_t>>;

/// The entries of an output, piece by piece.
Entries listed(weir::detail::EntrySource const& source, std::size_t output, std::size_t piece) {
  Entries all;
  weir::detail::EntryList list;
  for (std::size_t first = 0; first < source.inputs; first += piece) {
    source.list(output, first, std::min(source.inputs, first + piece), list);
    for (std::size_t i = 0; i < list.size; ++i) {
      CHECK(list.input[i] >= first);
      CHECK(list.input[i] < first + piece);
      all.emplace_back(list.input[i], list.value[i]);
    }
  }
  return all;
}

template <class Layout>
void check(Layout const& layout) {
  auto const rows = weir::detail::entries_of<false>(layout);
  auto const columns = weir::detail::entries_of<true>(layout);
  for (std::size_t piece : {std::size_t{1000}, std::size_t{32}, std::size_t{7}}) {
    for (std::size_t row = 0; row < layout.outputs(); ++row) {
      Entries wanted;
      for (std::size_t slot = 0; slot < layout.row_degree(row); ++slot)
        wanted.emplace_back(layout.column(row, slot), layout.value_index(row, slot));
      Entries got = listed(rows, row, piece);
      std::sort(wanted.begin(), wanted.end());
      std::sort(got.begin(), got.end());
      CHECK(got == wanted);
    }
    for (std::size_t column = 0; column < layout.inputs(); ++column) {
      Entries wanted;
      for (std::size_t slot = 0; slot < layout.column_degree(column); ++slot)
        wanted.emplace_back(layout.row(column, slot), layout.value_index_transposed(column, slot));
      Entries got = listed(columns, column, piece);
      std::sort(wanted.begin(), wanted.end());
      std::sort(got.begin(), got.end());
      CHECK(got == wanted);
    }
  }
}

TEST_CASE("rows and columns of every layout are visited, whole or in pieces") {
  check(weir::GroupDesign{{.outputs = 30, .inputs = 45, .group = 8, .levels = 3}}.layout());
  check(weir::GroupDesign{{.outputs = 31, .inputs = 47, .group = 9}}.layout());
  check(weir::CyclicDesign(73, {1, 2, 4, 8, 16, 32, 37, 55, 64}).layout());
  auto const indexed = weir::IndexedDesign<std::uint16_t>(50, {0, 3, 3, 6}, {0, 7, 49, 6, 13, 14});
  check(indexed.layout());
  weir::GroupDesign grid{{.outputs = 4, .inputs = 6, .group = 2}};
  weir::TiledDesign const tiled(std::move(grid), 19, 28, 5);
  check(tiled.layout());
}

template <class Layout>
bool ascends(Layout const& layout) {
  bool is_so = true;
  for (auto const& source :
       {weir::detail::entries_of<false>(layout), weir::detail::entries_of<true>(layout)}) {
    bool source_does = true;
    for (std::size_t output = 0; output < source.outputs; ++output) {
      Entries const all = listed(source, output, 4096);
      source_does = source_does && std::is_sorted(all.begin(), all.end());
    }
    CHECK((source_does || !source.ascends));
    is_so = is_so && source.ascends;
  }
  return is_so;
}

TEST_CASE("lists say whether they ascend") {
  weir::GroupDesign const one{{.outputs = 30, .inputs = 45, .group = 9}};
  weir::GroupDesign const several{{.outputs = 30, .inputs = 45, .group = 9, .levels = 8}};
  CHECK(ascends(one.layout()));
  CHECK(!ascends(several.layout()));
  CHECK(ascends(weir::TiledDesign(one, 90, 135, 3).layout()));
  CHECK(!ascends(weir::TiledDesign(several, 90, 135, 3).layout()));
  CHECK(ascends(weir::CyclicDesign(73, {1, 2, 4, 8, 16, 32, 37, 55, 64}).layout()));
  CHECK(ascends(weir::IndexedDesign<std::uint16_t>(50, {0, 3, 3, 6}, {0, 7, 49, 6, 13, 14}).layout()));
  CHECK(!ascends(weir::TwinPrimeDesign(3).layout()));
}

}  // namespace
