#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "weir/core/error.hpp"
#include "weir/exec/tiled_layout.hpp"
#include "weir/mask/design/owner.hpp"

namespace weir::inline v1 {

namespace detail {

/// Errors: ContractViolation unless `size` positions are those of `tiles` tiles.
constexpr void check_tiles(char const* side, std::size_t size, std::size_t tiles, std::uint32_t block) {
  if (block == 0) throw ContractViolation("block-size 0: 1 or more would be right");
  if (size != 0 && (size - 1) / block + 1 == tiles) return;
  throw ContractViolation(std::string(side) + " " + std::to_string(size) + ": " + std::to_string(tiles) +
                          " tiles of " + std::to_string(block) + " make up " +
                          std::to_string((tiles - 1) * block + 1) + " to " + std::to_string(tiles * block));
}

}  // namespace detail

/// A mask of S x S tiles: `grid` says which are live. sigma2 is S times that of the grid where S divides
/// both sides; relative to sigma1 it is sqrt(S) times that of a mask of single entries.
///
/// Cost: that of the grid.
/// Errors: ContractViolation where the grid is not that of ceil(outputs / S) x ceil(inputs / S) tiles.
template <class GridDesign>
class TiledDesign : public DesignOwner<TiledDesign<GridDesign>> {
 public:
  constexpr TiledDesign(GridDesign grid, std::size_t outputs, std::size_t inputs, std::uint32_t block)
      : grid_(std::move(grid)), outputs_(outputs), inputs_(inputs), block_(block) {
    detail::check_tiles("outputs", outputs_, grid_.outputs(), block_);
    detail::check_tiles("inputs", inputs_, grid_.inputs(), block_);
  }

  constexpr GridDesign const& grid() const { return grid_; }
  constexpr std::uint32_t block() const { return block_; }
  /// Valid as long as this design is.
  constexpr auto layout() const {
    if constexpr (requires { grid_.layout(); }) {
      return TiledLayout<decltype(grid_.layout())>{grid_.layout(), inputs_, outputs_, block_};
    } else {
      return TiledLayout<GridDesign>{grid_, inputs_, outputs_, block_};
    }
  }

 private:
  GridDesign grid_;
  std::size_t outputs_;
  std::size_t inputs_;
  std::uint32_t block_;
};

}  // namespace weir::inline v1
