#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "weir/core/error.hpp"
#include "weir/mask/design.hpp"
#include "weir/mask/design/complement.hpp"
#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/design/tiled.hpp"

namespace weir::inline v1 {

/// A design chosen at run time, in one of the forms that kernels know: by groups, cyclic, or indexed with 16
/// or 32 bits; of single entries or of tiles.
class AnyDesign {
 public:
  AnyDesign(GroupDesign design) : AnyDesign(Grid(std::move(design)), 1) {}
  AnyDesign(CyclicDesign design) : AnyDesign(Grid(std::move(design)), 1) {}
  template <class Index>
  AnyDesign(IndexedDesign<Index> design) : AnyDesign(Grid(std::move(design)), 1) {}

  /// The entries of a design that has none of these forms.
  template <Design D>
  static AnyDesign of(D const& design) {
    if (design.inputs() <= 0x1'0000 && design.outputs() <= 0x1'0000)
      return IndexedDesign<std::uint16_t>::of(design);
    return IndexedDesign<std::uint32_t>::of(design);
  }

  /// All entries that this one does not have.
  AnyDesign complement() const {
    return std::visit(
        [this](auto const& grid) -> AnyDesign {
          auto const others = v1::complement(grid);
          constexpr bool is_wide = std::is_same_v<decltype(others), IndexedDesign<std::uint32_t> const>;
          return (is_wide ? of(others) : AnyDesign(others)).tiled(outputs_, inputs_, block_);
        },
        grid_);
  }

  /// A mask of tiles whose grid this one is. 1 leaves it as it is.
  /// Errors: ContractViolation where ceil(outputs / block) x ceil(inputs / block) is not its shape, or where
  /// it has tiles already.
  AnyDesign tiled(std::size_t outputs, std::size_t inputs, std::uint32_t block) const& {
    return AnyDesign(*this).tiled(outputs, inputs, block);
  }
  AnyDesign tiled(std::size_t outputs, std::size_t inputs, std::uint32_t block) && {
    if (block == 1) return std::move(*this);
    if (block_ != 1)
      throw ContractViolation("block-size " + std::to_string(block) + ": the grid has tiles already");
    detail::check_tiles("outputs", outputs, outputs_, block);
    detail::check_tiles("inputs", inputs, inputs_, block);
    block_ = block;
    outputs_ = outputs;
    inputs_ = inputs;
    return std::move(*this);
  }

  /// Calls `visitor` with the layout: a `GroupLayout`, a `CyclicLayout`, an `IndexedLayout` or a
  /// `TiledLayout` of one of these. Valid as long as this design is.
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    return std::visit(
        [&](auto const& grid) -> decltype(auto) {
          auto const layout = grid.layout();
          if (block_ == 1) return visitor(layout);
          return visitor(
              TiledLayout<std::remove_const_t<decltype(layout)>>{layout, inputs_, outputs_, block_});
        },
        grid_);
  }

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return outputs_; }
  std::uint32_t block() const { return block_; }
  std::size_t nnz() const {
    return visit([](auto const& layout) { return layout.nnz(); });
  }
  std::size_t value_count() const {
    return visit([](auto const& layout) { return layout.value_count(); });
  }
  std::size_t table_bytes() const {
    return visit([](auto const& layout) { return layout.table_bytes(); });
  }
  std::size_t row_degree(std::size_t row) const {
    return visit([=](auto const& layout) { return layout.row_degree(row); });
  }
  std::size_t column_degree(std::size_t column) const {
    return visit([=](auto const& layout) { return layout.column_degree(column); });
  }
  std::size_t column(std::size_t row, std::size_t slot) const {
    return visit([=](auto const& layout) { return layout.column(row, slot); });
  }
  std::size_t row(std::size_t column, std::size_t slot) const {
    return visit([=](auto const& layout) { return layout.row(column, slot); });
  }
  std::size_t value_index(std::size_t row, std::size_t slot) const {
    return visit([=](auto const& layout) { return layout.value_index(row, slot); });
  }
  std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return visit([=](auto const& layout) { return layout.value_index_transposed(column, slot); });
  }
  std::size_t row_slot(std::size_t row, std::size_t column) const {
    return visit([=](auto const& layout) { return layout.row_slot(row, column); });
  }
  std::size_t column_slot(std::size_t column, std::size_t row) const {
    return visit([=](auto const& layout) { return layout.column_slot(column, row); });
  }
  bool contains(std::size_t row, std::size_t column) const {
    return visit([=](auto const& layout) { return layout.contains(row, column); });
  }

 private:
  using Grid =
      std::variant<GroupDesign, CyclicDesign, IndexedDesign<std::uint16_t>, IndexedDesign<std::uint32_t>>;

  AnyDesign(Grid grid, std::uint32_t block) : grid_(std::move(grid)), block_(block) {
    outputs_ = std::visit([](auto const& design) { return design.outputs(); }, grid_);
    inputs_ = std::visit([](auto const& design) { return design.inputs(); }, grid_);
  }

  Grid grid_;
  std::size_t outputs_ = 0;
  std::size_t inputs_ = 0;
  std::uint32_t block_ = 1;
};

}  // namespace weir::inline v1
