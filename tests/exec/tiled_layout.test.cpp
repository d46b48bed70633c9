#include "weir/exec/tiled_layout.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/exec/cyclic_layout.hpp"

namespace {

constexpr std::uint32_t fano[] = {1, 2, 4};
constexpr weir::TiledLayout<weir::CyclicLayout> tiles(std::size_t outputs, std::size_t inputs) {
  return {{7, 3, fano}, inputs, outputs, 3};
}

static_assert(weir::SearchableDesign<weir::TiledLayout<weir::CyclicLayout>>);
static_assert(tiles(21, 21).nnz() == 189 && tiles(21, 21).value_count() == 189);

}  // namespace

TEST_CASE("TiledLayout: an entry is live where its tile is, whatever is cut off") {
  weir::CyclicLayout const grid = {7, 3, fano};
  for (std::size_t outputs : {19u, 20u, 21u}) {
    for (std::size_t inputs : {19u, 20u, 21u}) {
      CAPTURE(outputs);
      CAPTURE(inputs);
      auto const layout = tiles(outputs, inputs);
      CHECK(fault_of(layout) == "");
      bool same = true;
      for (std::size_t r = 0; r < outputs; ++r) {
        for (std::size_t c = 0; c < inputs; ++c)
          same = same && layout.contains(r, c) == grid.contains(r / 3, c / 3);
      }
      CHECK(same);
    }
  }
}

TEST_CASE("TiledLayout: values lie tile by tile, each row by row") {
  auto const layout = tiles(21, 21);
  std::size_t const tile = layout.grid.value_index(1, 2);  // tile row 1, tile column 5
  std::size_t const slot = layout.row_slot(4, 17);
  CHECK(layout.value_index(4, slot) == tile * 9 + 1 * 3 + 2);
}
