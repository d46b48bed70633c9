#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/permute_lanes.hpp"
#include "weir/host/kernels/product_dispatch.hpp"
#include "weir/host/kernels/visit_entries.hpp"

namespace weir::inline v1 {
namespace detail {

/// The gradient of the values of tiles of S x S, S a multiple of 16: each live tile is a dense product of dy
/// and x, summed over samples in their order, those that are packed together in a chain of their own. A part
/// is one row of tiles.
template <class In, class Number>
struct GradientTiles {
  using Real = Number;

  static constexpr bool permutes = false;
  static constexpr std::size_t scratch_bytes = std::size_t{16} << 10;  // of x, and of dy

  static bool takes(std::size_t block) {
    return block % 16 == 0 && block * 8 * sizeof(Real) <= scratch_bytes;
  }
  static bool takes(EntrySource const& tiles) { return tiles.inputs <= EntryList::capacity; }

  static ProductParts parts_of(EntrySource const& tiles, std::size_t block, std::size_t samples,
                               std::size_t threads) {
    bool const is_small = tiles.value_count * block * block * samples < shared_from_products;
    return {tiles.outputs, 1, 1, 1, is_small ? 1 : threads};
  }

  EntrySource tiles;
  std::size_t block;
  SampleSource<In> dy;
  SampleSource<In> x;
  std::uint32_t tap;  // of x
  Real* gradient;
  GradientMode mode;
  ProductParts parts;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    constexpr int vectors = VectorBytes == 64 ? 4 : 2;
    EntryList list;
    tiles.list(part, 0, tiles.inputs, list);
    std::size_t const together = scratch_bytes / sizeof(Real) / block;
    alignas(64) Real outputs[scratch_bytes / sizeof(Real)];
    alignas(64) Real inputs[scratch_bytes / sizeof(Real)];
    for (std::size_t sample = 0; sample == 0 || sample < x.samples; sample += together) {
      std::size_t const samples = smaller(together, x.samples - sample);
      bool const is_first = sample == 0 && mode == GradientMode::overwrite;
      std::size_t const row = part * block;
      pack_rows<Real, lanes, In>(dy, 0, sample, samples, row, smaller(block, dy.features() - row), block,
                                 block, outputs);
      for (std::size_t t = 0; t < list.size; ++t) {
        std::size_t const column = list.input[t] * block;
        pack_rows<Real, lanes, In>(x, tap, sample, samples, column, smaller(block, x.features() - column),
                                   block, block, inputs);
        Real* const to = gradient + list.value[t] * block * block;
        std::size_t z = 0;
        for (; z + vectors * lanes <= block; z += vectors * lanes) {
          add_columns<lanes, vectors>(samples, is_first, z, outputs, inputs, to);
        }
        for (; z < block; z += lanes) add_columns<lanes, 1>(samples, is_first, z, outputs, inputs, to);
        clear_padding(smaller(block, dy.features() - row), smaller(block, x.features() - column), to);
      }
    }
  }

 private:
  template <int Count, int Vectors>
  [[gnu::always_inline]] void add_columns(std::size_t samples, bool is_first, std::size_t z,
                                          Real const* outputs, Real const* inputs, Real* to) const {
    // As many rows at a time as their sums fill the registers. What is left of a multiple of 16 is even.
    constexpr std::size_t most = Count * sizeof(Real) == 32 ? 6 : 4;
    std::size_t y = 0;
    auto const add = [&](auto rows) __attribute__((always_inline)) {
      for (; y + rows <= block; y += rows) {
        add_rows<Count, rows, Vectors>(samples, is_first, outputs + y, inputs + z, to + y * block + z);
      }
    };
    add(std::integral_constant<std::size_t, most>{});
    if constexpr (most > 4) {
      add(std::integral_constant<std::size_t, 4>{});
      add(std::integral_constant<std::size_t, 2>{});
    }
  }

  template <int Count, int Rows, int Vectors>
  [[gnu::always_inline]] void add_rows(std::size_t samples, bool is_first, Real const* output,
                                       Real const* input, Real* to) const {
    Lanes<Real, Count> sum[Rows][Vectors];
    repeat<Rows>([&](auto row) __attribute__((always_inline)) {
      repeat<Vectors>([&](auto i) __attribute__((always_inline)) { sum[row][i] = Lanes<Real, Count>{}; });
    });
    for (std::size_t sample = 0; sample < samples; ++sample, output += block, input += block) {
      Lanes<Real, Count> numbers[Vectors];
      repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
        load<Real, Count>(input + i * Count, numbers[i]);
      });
      repeat<Rows>([&](auto row) __attribute__((always_inline)) {
        Lanes<Real, Count> factor;
        broadcast<Real, Count>(output[row], factor);
        repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
          fuse_into<Real, Count>(numbers[i], factor, sum[row][i]);
        });
      });
    }
    repeat<Rows>([&](auto row) __attribute__((always_inline)) {
      repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
        if (!is_first) {
          Lanes<Real, Count> before;
          load<Real, Count>(to + row * block + i * Count, before);
          before += sum[row][i];
          sum[row][i] = before;
        }
        store<Real, Count>(sum[row][i], to + row * block + i * Count);
      });
    });
  }

  void clear_padding(std::size_t height, std::size_t width, Real* tile) const {
    for (std::size_t y = 0; y < block; ++y) {
      for (std::size_t z = y < height ? width : 0; z < block; ++z) tile[y * block + z] = Real{0};
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
