#include "weir/mask/bound_mask.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <utility>

#include "weir/host/executor.hpp"
#include "weir/mask/design/group.hpp"

namespace {

TEST_CASE("on a host the layout uses the mask's own tables, also after a move") {
  weir::HostExecutor const exec;
  weir::BoundMask bound(exec, weir::BIBDMask(weir::GroupDesign{{.outputs = 20, .inputs = 30, .group = 4}}));
  weir::BoundMask const moved = std::move(bound);
  moved.visit([&](auto const& layout) {
    moved.mask().visit([&](auto const& own) { CHECK(layout.cells == own.cells); });
    for (std::size_t row = 0; row < 20; ++row) {
      for (std::size_t slot = 0; slot < layout.row_degree(row); ++slot)
        CHECK(layout.column(row, slot) == moved.mask().column(row, slot));
    }
  });
}

TEST_CASE("of a mask chosen at run time the layout is visited in its form") {
  weir::HostExecutor const exec;
  weir::BoundMask const bound(
      exec, weir::BIBDMask<weir::AnyDesign>({.outputs = 64, .inputs = 64, .density = 0.25, .block = 16}));
  bound.visit([&](auto const& layout) {
    CHECK(layout.outputs() == 64);
    CHECK(layout.nnz() == bound.mask().nnz());
  });
}

}  // namespace
