#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/block.cuh"
#include "weir/cuda/kernels/device_samples.cuh"
#include "weir/cuda/kernels/fragment.cuh"
#include "weir/cuda/kernels/unroll.cuh"

namespace weir::inline v1 {
namespace detail {

/// An operand of the tensor cores in shared memory: `Rows` rows of `Width` elements of 16 bits, swizzled.
template <class Element, int Rows, int Width>
struct TileOperand {
  static_assert(sizeof(Element) == 2);
  static constexpr int chunks = Width / 8;  // of 16 bytes, in a row
  static constexpr int elements = Rows * Width;

  /// Begins to copy rows to `to`: chunk c of row r comes from `source(r)` on, 8 elements for each c, `count`
  /// of which are there; a null source has none.
  template <int Threads, class Block, class Source>
  WEIR_HOST_DEVICE static void copy(Block const& block, Element* to, Element const* anything,
                                    std::size_t count, Source const& source) {
    constexpr int together = Rows * chunks;
    unsigned const chunk = block.thread() % chunks;
    std::size_t const left = count > chunk * std::size_t{8} ? count - chunk * std::size_t{8} : 0;
    unsigned const bytes = left < 8 ? static_cast<unsigned>(left) * 2 : 16;
    unroll<(together + Threads - 1) / Threads>([&](int i) {
      unsigned const at = block.thread() + static_cast<unsigned>(i * Threads);
      if (together % Threads != 0 && at >= together) return;
      int const row = static_cast<int>(at / chunks);
      Element const* const line = source(row, i);
      bool const is_there = line != nullptr && bytes != 0;
      block.copy_async(to + swizzled<Width>(row, static_cast<int>(chunk)),
                       is_there ? line + chunk * std::size_t{8} : anything, is_there ? bytes : 0);
    });
  }

  /// The left operand of 16 rows from `row` on and 16 of k: its rows lie along k.
  template <class Block>
  WEIR_HOST_DEVICE static void left_along(Block const& block, Element const* from, int row, int k,
                                          std::uint32_t (&to)[4]) {
    auto const place = left_row_along(static_cast<int>(block.thread() % 32));
    block.template load_matrices<false>(from + swizzled<Width>(row + place.row, (k + place.column) / 8), to);
  }
  template <class Block>
  WEIR_HOST_DEVICE static void left_across(Block const& block, Element const* from, int row, int k,
                                           std::uint32_t (&to)[4]) {
    auto const place = left_row_across(static_cast<int>(block.thread() % 32));
    block.template load_matrices<true>(from + swizzled<Width>(k + place.row, (row + place.column) / 8), to);
  }
  /// Two right operands: 16 columns from `column` on.
  template <class Block>
  WEIR_HOST_DEVICE static void right_along(Block const& block, Element const* from, int column, int k,
                                           std::uint32_t (&to)[4]) {
    auto const place = right_row_along(static_cast<int>(block.thread() % 32));
    block.template load_matrices<false>(from + swizzled<Width>(column + place.row, (k + place.column) / 8),
                                        to);
  }
  template <class Block>
  WEIR_HOST_DEVICE static void right_across(Block const& block, Element const* from, int column, int k,
                                            std::uint32_t (&to)[4]) {
    auto const place = right_row_across(static_cast<int>(block.thread() % 32));
    block.template load_matrices<true>(from + swizzled<Width>(k + place.row, (column + place.column) / 8),
                                       to);
  }
};

/// What a warp has of a product: `Down` x 16 rows and `Across` x 16 columns.
template <int Down, int Across>
struct WarpSums {
  float sums[Down][2 * Across][4] = {};

  template <class Block, class Element>
  WEIR_HOST_DEVICE void add(Block const& block, std::uint32_t const (&left)[Down][4],
                            std::uint32_t const (&right)[Across][4], Element const* type) {
    unroll<Down>([&](int i) {
      unroll<Across>([&](int j) {
        std::uint32_t const first[2] = {right[j][0], right[j][1]};
        std::uint32_t const second[2] = {right[j][2], right[j][3]};
        block.multiply(left[i], first, sums[i][2 * j], type);
        block.multiply(left[i], second, sums[i][2 * j + 1], type);
      });
    });
  }

  /// Calls `f(row, column, one, next)` for all numbers, two neighbours of a row at a time; row and column are
  /// those within the warp's part.
  template <class Function>
  WEIR_HOST_DEVICE void each_pair(unsigned lane, Function const& f) const {
    unroll<Down>([&](int i) {
      unroll<2 * Across>([&](int j) {
        unroll<2>([&](int half) {
          auto const place = result_place(static_cast<int>(lane), 2 * half);
          f(16 * i + place.row, 8 * j + place.column, sums[i][j][2 * half], sums[i][j][2 * half + 1]);
        });
      });
    });
  }
};

}  // namespace detail
}  // namespace weir::inline v1
