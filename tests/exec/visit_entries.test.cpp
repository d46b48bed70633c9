#include "weir/exec/visit_entries.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace {

using Entries = std::vector<std::pair<std::size_t, std::size_t>>;
using weir::detail::visit_column;
using weir::detail::visit_row;

constexpr std::uint32_t differences[] = {1, 2, 4};
constexpr weir::CyclicLayout fano = {7, 3, differences};
constexpr weir::GroupLayout full = {{.outputs = 3, .inputs = 2, .group = 1, .classes = 3, .groups = 2}};

}  // namespace

// What every layout gives is held against its `column` and `row` in
// tests/host/kernels/visit_entries.test.cpp.
TEST_CASE("the entries of a cyclic row come by ascending column, wherever it is cut") {
  Entries all;
  auto const add = [&](std::size_t column, std::size_t value) { all.emplace_back(column, value); };
  visit_row(fano, 5, 0, 7, add);
  CHECK(all == Entries{{0, 12}, {2, 19}, {6, 5}});
  all.clear();
  for (std::size_t first = 0; first < 7; ++first) visit_row(fano, 5, first, first + 1, add);
  CHECK(all == Entries{{0, 12}, {2, 19}, {6, 5}});
  all.clear();
  visit_column(fano, 0, 0, 7, add);
  CHECK(all == Entries{{3, 17}, {5, 12}, {6, 6}});
}

TEST_CASE("visits are constant expressions, as kernels are played by the compiler") {
  constexpr std::size_t sum = [] {
    std::size_t total = 0;
    visit_row(full, 1, 0, 2, [&](std::size_t column, std::size_t value) { total += 10 * column + value; });
    visit_column(full, 1, 0, 3, [&](std::size_t row, std::size_t value) { total += 100 * row + value; });
    return total;
  }();
  static_assert(sum == (0 + 2) + (10 + 3) + (0 + 1) + (100 + 3) + (200 + 5));
  CHECK(sum != 0);
}
