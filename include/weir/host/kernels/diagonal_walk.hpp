#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/cyclic_layout.hpp"
#include "weir/exec/visit_entries.hpp"

namespace weir::inline v1 {
namespace detail {

/// The diagonals that an output of a cyclic design meets, in the order of the inputs that they lead to; of
/// the transposed, outputs are columns. Outputs that follow each other meet inputs that do.
///
/// A walk starts with the inputs above -`lanes`: those below zero stand for the ones that lie as far below
/// the order, where an output further on has come around already. It has no end.
template <bool Transposed>
class DiagonalWalk {
 public:
  DiagonalWalk() = default;

  /// Where `output + lanes` is at most the order, and the design has entries.
  DiagonalWalk(CyclicLayout const& layout, std::size_t output, std::size_t lanes) : base_(output) {
    if constexpr (Transposed) {
      std::size_t const behind = first_from(layout.differences, 0, layout.size, output + lanes);
      diagonal_ = static_cast<std::uint32_t>(behind);
      next(layout);
    } else {
      std::size_t const first =
          first_from(layout.differences, 0, layout.size, layout.order + 1 - lanes - output);
      diagonal_ = static_cast<std::uint32_t>(first == layout.size ? 0 : first);
      if (first != layout.size) base_ -= layout.order;
    }
  }

  std::uint32_t diagonal() const { return diagonal_; }

  [[gnu::always_inline]] std::ptrdiff_t input(CyclicLayout const& layout) const {
    std::size_t const difference = layout.differences[diagonal_];
    return static_cast<std::ptrdiff_t>(Transposed ? base_ - difference : base_ + difference);
  }

  [[gnu::always_inline]] void next(CyclicLayout const& layout) {
    if constexpr (Transposed) {
      if (diagonal_ == 0) {
        diagonal_ = layout.size;
        base_ += layout.order;
      }
      --diagonal_;
    } else if (++diagonal_ == layout.size) {
      diagonal_ = 0;
      base_ += layout.order;
    }
  }

 private:
  std::size_t base_ = 0;  // modulo 2^64
  std::uint32_t diagonal_ = 0;
};

}  // namespace detail
}  // namespace weir::inline v1
