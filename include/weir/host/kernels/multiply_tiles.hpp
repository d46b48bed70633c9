#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/finish_outputs.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/permute_lanes.hpp"
#include "weir/host/kernels/product_dispatch.hpp"
#include "weir/host/kernels/transpose_square.hpp"
#include "weir/host/kernels/visit_entries.hpp"

namespace weir::inline v1 {
namespace detail {

/// y = x W^T, or with `Transposed` dx = dy W, for tiles of S x S, S a multiple of 16.
///
/// A part works on one row of tiles. Pieces of at most 64 x 64 stay in the first-level cache while they are
/// multiplied with all samples whose sums the second-level cache holds. Weights and inputs are packed where
/// they cannot be read as they lie, or slowly only. An output is one chain of fused multiply-adds, in the
/// order of its inputs.
template <class Value, class In, class Out, bool Transposed>
struct MultiplyTiles {
  using Real = AccumulatorOf<Value>;

  static constexpr bool permutes = false;
  static constexpr std::size_t side = 64;  // of a piece
  static constexpr std::size_t sums_bytes = std::size_t{64} << 10;
  static constexpr std::size_t together = sums_bytes / sizeof(Real) / side;  // samples
  static constexpr std::size_t packed_together = 12;  // samples whose inputs are packed, or fetched ahead

  static bool takes(std::size_t block) { return block % 16 == 0; }
  static bool takes(EntrySource const& tiles) { return tiles.inputs <= EntryList::capacity; }

  static ProductParts parts_of(EntrySource const& tiles, std::size_t block, std::size_t samples,
                               std::size_t threads) {
    bool const is_small = tiles.value_count * block * block * samples < shared_from_products;
    return {tiles.outputs, 1, 1, samples, is_small ? 1 : threads, together};
  }

  EntrySource tiles;
  std::size_t block;
  Value const* values;
  SampleSource<In> in;
  BatchView<Out, HostSpace> out;
  ProductEpilogue<Real> epilogue;
  ProductParts parts;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    std::size_t const line = part % parts.blocks;
    EntryList list;
    tiles.list(line, 0, tiles.inputs, list);
    alignas(64) Real weights[side * side];
    alignas(64) Real inputs[packed_together * side];
    alignas(64) Real sums[together * side];
    std::size_t const sample = part / parts.blocks * parts.samples;
    std::size_t const samples = smaller(parts.samples, in.samples - sample);
    std::size_t const there = smaller(block, out.features - line * block);
    for (std::size_t output = 0; output < there; output += side) {
      multiply<lanes>(list, output, sample, samples, weights, inputs, sums);
      finish<lanes>(line * block + output, smaller(side, there - output), sample, samples, sums);
    }
  }

 private:
  struct Piece {
    std::uint32_t tap;
    Value const* weights;
    std::size_t input;   // the first
    std::size_t inputs;  // that are there
    std::size_t depth;   // with those of padding
  };

  /// Of the pieces of a row of tiles, tap by tap, whose outputs begin at `output` within a tile.
  Piece piece(EntryList const& list, std::size_t output, std::size_t number) const {
    std::size_t const of_tile = (block + side - 1) / side;
    std::size_t const t = number / of_tile % list.size;
    std::uint32_t const tap = in.tap(static_cast<std::uint32_t>(number / of_tile / list.size));
    std::size_t const first = number % of_tile * side;
    std::size_t const there = smaller(block, in.features() - list.input[t] * block);
    Value const* const tile = values + (tap * tiles.value_count + list.value[t]) * block * block;
    return {tap, tile + (Transposed ? first * block + output : output * block + first),
            list.input[t] * block + first, there > first ? smaller(there - first, side) : 0,
            smaller(side, block - first)};
  }

  /// The sums of the outputs of a row of tiles from `output` on, sample by sample.
  template <int Count>
  [[gnu::always_inline]] void multiply(EntryList const& list, std::size_t output, std::size_t sample,
                                       std::size_t samples, Real* weights, Real* inputs, Real* sums) const {
    std::size_t const width = smaller(side, block - output);
    for (std::size_t i = 0; i < samples * side; ++i) sums[i] = Real{0};
    std::size_t const count = in.taps * list.size * ((block + side - 1) / side);
    if (count == 0) return;
    In const* rows_of_tap[together];  // null where the tap lies outside; of batch-major samples
    Piece next = piece(list, output, 0);
    for (std::size_t number = 0; number < count; ++number) {
      bool const is_first_of_tap = number % (count / in.taps) == 0;
      Piece const now = next;
      if (number + 1 < count) next = piece(list, output, number + 1);
      for (std::size_t row = 0; is_first_of_tap && in.is_batch_major() && row < samples; ++row) {
        rows_of_tap[row] = in.row(sample + row, now.tap);
      }
      Real const* from = weights;
      std::size_t stride = side;
      if (is_packed<Count>(samples)) {
        pack_piece<Count>(now, width, weights);
      } else if constexpr (std::is_same_v<Value, Real>) {
        from = now.weights;
        stride = block;
      }
      for (std::size_t row = 0; row < samples; row += packed_together) {
        std::size_t const rows = smaller(packed_together, samples - row);
        Rows source = {inputs, side};
        if (in.is_batch_major()) {
          if (!is_in_place(now, rows_of_tap[row], source)) {
            for (std::size_t r = 0; r < rows; ++r) {
              In const* const all = rows_of_tap[row + r];
              pack_row<Real, Count>(all == nullptr ? all : all + now.input, now.inputs, now.depth,
                                    inputs + r * side);
            }
          }
          bool const is_last = row + rows == samples;
          Piece const& then = is_last ? next : now;
          std::size_t const next_row = is_last ? 0 : row + rows;
          if (then.tap == now.tap) fetch_inputs(then, rows_of_tap, next_row, samples);
        } else {
          pack_rows<Real, Count, In>(in, now.tap, sample + row, rows, now.input, now.inputs, now.depth, side,
                                     inputs);
        }
        add_samples<Count>(from, stride, width, now.depth, source, rows, sums + row * side);
      }
    }
  }

  /// Where the inputs of samples are, one row after another.
  struct Rows {
    Real const* from;
    std::size_t stride;
  };

  /// Whether weights are copied, so that outputs lie side by side, one input after another: where they do not
  /// lie side by side, and where vectors of 32 bytes would go through them by columns for many samples.
  template <int Count>
  static bool is_packed(std::size_t samples) {
    if (!Transposed || !std::is_same_v<Value, Real>) return true;
    return Count * sizeof(Real) == 32 && samples >= packed_together;
  }

  /// Whether the inputs of a piece need not be packed: then `to` is where they are.
  bool is_in_place(Piece const& piece, In const* row, Rows& to) const {
    if constexpr (std::is_same_v<In, Real>) {
      if (in.kind != SampleSource<In>::Kind::batch || piece.inputs != piece.depth) return false;
      to = {row + piece.input, in.batch.stride};
      return true;
    } else {
      return false;
    }
  }

  /// The inputs whose turn comes next.
  [[gnu::always_inline]] static void fetch_inputs(Piece const& of, In const* const* rows, std::size_t begin,
                                                  std::size_t samples) {
    std::size_t const end = smaller(samples, begin + packed_together);
    for (std::size_t row = begin; row < end; ++row) {
      if (rows[row] == nullptr) continue;
      char const* const line = reinterpret_cast<char const*>(rows[row] + of.input);
      for (std::size_t byte = 0; byte < of.inputs * sizeof(In); byte += 64) __builtin_prefetch(line + byte);
    }
  }

  /// The weights of an input, output by output.
  template <int Count>
  [[gnu::always_inline]] void pack_piece(Piece const& piece, std::size_t width, Real* to) const {
    if constexpr (Transposed) {
      Value const* line = piece.weights;
      for (std::size_t y = 0; y < piece.depth; ++y, line += block, to += side) {
        for (std::size_t z = 0; z < width; z += Count) {
          Lanes<Real, Count> weight;
          load<Real, Count>(line + z, weight);
          store<Real, Count>(weight, to + z);
        }
      }
    } else {
      for (std::size_t z = 0; z < width; z += Count) {
        for (std::size_t y = 0; y < piece.depth; y += Count) {
          Lanes<Real, Count> square[Count];
          repeat<Count>([&](auto i) __attribute__((always_inline)) {
            load<Real, Count>(piece.weights + (z + i) * block + y, square[i]);
          });
          transpose_square<Real, Count>(square);
          repeat<Count>([&](auto i) __attribute__((always_inline)) {
            store<Real, Count>(square[i], to + (y + i) * side + z);
          });
        }
      }
    }
  }

  /// A piece times all rows. As many at a time as their sums fill the registers.
  template <int Count>
  [[gnu::always_inline]] static void add_samples(Real const* weights, std::size_t stride, std::size_t width,
                                                 std::size_t depth, Rows const& inputs, std::size_t rows,
                                                 Real* sums) {
    constexpr std::size_t most = Count * sizeof(Real) == 32 ? 6 : 4;
    std::size_t row = 0;
    auto const add = [&](auto samples) __attribute__((always_inline)) {
      for (; row + samples <= rows; row += samples) {
        Rows const from = {inputs.from + row * inputs.stride, inputs.stride};
        add_rows<Count, samples>(weights, stride, width, depth, from, sums + row * side);
      }
    };
    add(std::integral_constant<std::size_t, most>{});
    if constexpr (most > 4) add(std::integral_constant<std::size_t, 4>{});
    add(std::integral_constant<std::size_t, 1>{});
  }

  template <int Count, std::size_t Samples>
  [[gnu::always_inline]] static void add_rows(Real const* weights, std::size_t stride, std::size_t width,
                                              std::size_t depth, Rows const& inputs, Real* sums) {
    constexpr int vectors = Count * sizeof(Real) == 64 ? 4 : 2;
    std::size_t z = 0;
    for (; z + vectors * Count <= width; z += vectors * Count) {
      add_columns<Count, Samples, vectors>(weights + z, stride, depth, inputs, sums + z);
    }
    for (; z < width; z += Count)
      add_columns<Count, Samples, 1>(weights + z, stride, depth, inputs, sums + z);
  }

  template <int Count, int Samples, int Vectors>
  [[gnu::always_inline]] static void add_columns(Real const* weights, std::size_t stride, std::size_t depth,
                                                 Rows const& inputs, Real* sums) {
    Lanes<Real, Count> sum[Samples][Vectors];
    repeat<Samples>([&](auto s) __attribute__((always_inline)) {
      repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
        load<Real, Count>(sums + s * side + i * Count, sum[s][i]);
      });
    });
    Real const* input = inputs.from;
    for (std::size_t k = 0; k < depth; ++k, weights += stride, ++input) {
      Lanes<Real, Count> weight[Vectors];
      repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
        load<Real, Count>(weights + i * Count, weight[i]);
      });
      repeat<Samples>([&](auto s) __attribute__((always_inline)) {
        Lanes<Real, Count> number;
        broadcast<Real, Count>(input[s * inputs.stride], number);
        repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
          fuse_into<Real, Count>(number, weight[i], sum[s][i]);
        });
      });
    }
    repeat<Samples>([&](auto s) __attribute__((always_inline)) {
      repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
        store<Real, Count>(sum[s][i], sums + s * side + i * Count);
      });
    });
  }

  template <int Count>
  [[gnu::always_inline]] void finish(std::size_t output, std::size_t width, std::size_t sample,
                                     std::size_t samples, Real const* sums) const {
    for (std::size_t row = 0; row < samples; ++row) {
      std::size_t const place = in.place(sample + row);
      for (std::size_t i = 0; i < width; i += Count) {
        Lanes<Real, Count> sum;
        load<Real, Count>(sums + row * side + i, sum);
        finish_outputs<Real, Count>(epilogue, output + i, smaller(width - i, Count), sum, out, place);
      }
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
