#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/finish_outputs.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/permute_lanes.hpp"
#include "weir/host/kernels/product_dispatch.hpp"
#include "weir/host/kernels/visit_entries.hpp"

namespace weir::inline v1 {
namespace detail {

/// The first 16 / Count of sixteen vectors become the sums of the lanes of each, in order: neighbours are
/// added until each lane is one sum.
template <class Real, int Count>
[[gnu::always_inline]] inline void sum_lanes(Lanes<Real, Count> (&sums)[16]) {
  using Values = Lanes<Real, Count>;
  using Index = Lanes<LaneNumber<Real>, Count>;
  if constexpr (Count > 1) {
    Index numbers;
    lane_numbers<Real, Count>.load_into(numbers);
    constexpr int rounds = Count == 16 ? 4 : Count == 8 ? 3 : Count == 4 ? 2 : 1;
    repeat<rounds>([&](auto round) __attribute__((always_inline)) {
      constexpr LaneNumber<Real> bit = LaneNumber<Real>{1} << round;
      Index const is_second = Index{} - ((numbers >> static_cast<int>(round)) & LaneNumber<Real>{1});
      Index const exchanged = numbers ^ bit;
      repeat<(8 >> round)>([&](auto i) __attribute__((always_inline)) {
        // Copies, because nvcc does not know that what lies in an array is a vector.
        Values const left = sums[2 * i], right = sums[2 * i + 1];
        Index const one = reinterpret_cast<Index>(left);
        Index const other = reinterpret_cast<Index>(right);
        Values const kept = reinterpret_cast<Values>((one & ~is_second) | (other & is_second));
        Values moved = reinterpret_cast<Values>((one & is_second) | (other & ~is_second));
        permute<Real, Count>(moved, exchanged, moved);
        sums[i] = kept + moved;
      });
    });
  }
}

/// y = x W^T, or with `Transposed` dx = dy W, for tiles of S x S, S a multiple of 16.
///
/// Forward, four rows of a tile are multiplied with four samples, lane by lane along the inputs, and the
/// lanes added up at the end of the row of tiles. Transposed, rows of a tile are multiplied with numbers of
/// dy.
template <class Value, class In, class Out, bool Transposed>
struct MultiplyTiles {
  using Real = AccumulatorOf<Value>;

  static constexpr bool permutes = false;
  static constexpr std::size_t scratch_bytes = std::size_t{32} << 10;
  static constexpr std::size_t together = 16;  // samples

  static bool takes(std::size_t block) {
    return block % 16 == 0 && block * together * sizeof(Real) <= scratch_bytes;
  }
  static bool takes(EntrySource const& tiles) { return tiles.inputs <= EntryList::capacity; }

  static ProductParts parts_of(EntrySource const& tiles, std::size_t block, std::size_t samples,
                               std::size_t threads) {
    bool const is_small = tiles.value_count * block * block * samples < shared_from_products;
    return {tiles.outputs, 1, 1, samples, is_small ? 1 : threads};
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
    alignas(64) Real inputs[scratch_bytes / sizeof(Real) + together * lanes];
    alignas(64) Real sums[scratch_bytes / sizeof(Real)];
    std::size_t const begin = part / parts.blocks * parts.samples;
    std::size_t const end = smaller(in.samples, begin + parts.samples);
    for (std::size_t sample = begin; sample < end; sample += together) {
      std::size_t const samples = smaller(together, end - sample);
      multiply<lanes>(list, sample, samples, inputs, sums);
      finish<lanes>(line * block, sample, samples, sums);
    }
  }

 private:
  template <int Count>
  [[gnu::always_inline]] void multiply(EntryList const& list, std::size_t sample, std::size_t samples,
                                       Real* inputs, Real* sums) const {
    std::size_t const at_once = scratch_bytes / sizeof(Real) / together / block;
    for (std::size_t i = 0; i < together * block; ++i) sums[i] = Real{0};
    for (std::uint32_t tap = 0; tap < in.taps; ++tap) {
      Value const* const of_tap = values + tap * tiles.value_count * block * block;
      for (std::size_t first = 0; first < list.size; first += at_once) {
        std::size_t const last = smaller(list.size, first + at_once);
        std::size_t const stride = (last - first) * block + Count;
        std::size_t const rows = (samples + 3) / 4 * 4;
        for (std::size_t t = first; t < last; ++t) {
          std::size_t const from = list.input[t] * block;
          pack_rows<Real, Count, In>(in, tap, sample, rows, from, smaller(in.features() - from, block), block,
                                     stride, inputs + (t - first) * block);
        }
        if constexpr (Transposed) {
          constexpr int vectors = 64 / (Count * static_cast<int>(sizeof(Real))) == 1 ? 4 : 2;
          std::size_t z = 0;
          for (; z + vectors * Count <= block; z += vectors * Count) {
            add_columns<Count, vectors>(list, of_tap, first, last, rows, z, inputs, stride, sums);
          }
          for (; z < block; z += Count) {
            add_columns<Count, 1>(list, of_tap, first, last, rows, z, inputs, stride, sums);
          }
        } else {
          for (std::size_t y = 0; y < block; y += 4) {
            add_rows<Count>(list, of_tap, first, last, rows, y, inputs, stride, sums);
          }
        }
      }
    }
  }

  /// Four rows from y on times all samples; the sums of four samples lie together.
  template <int Count>
  [[gnu::always_inline]] void add_rows(EntryList const& list, Value const* of_tap, std::size_t first,
                                       std::size_t last, std::size_t rows, std::size_t y, Real const* inputs,
                                       std::size_t stride, Real* sums) const {
    for (std::size_t row = 0; row < rows; row += 4) {
      Lanes<Real, Count> sum[16] = {};
      for (std::size_t t = first; t < last; ++t) {
        Value const* weights = of_tap + (list.value[t] * block + y) * block;
        Real const* numbers = inputs + row * stride + (t - first) * block;
        for (std::size_t z = 0; z < block; z += Count, weights += Count, numbers += Count) {
          Lanes<Real, Count> weight[4];
          repeat<4>([&](auto i) __attribute__((always_inline)) {
            load<Real, Count>(weights + i * block, weight[i]);
          });
          repeat<4>([&](auto s) __attribute__((always_inline)) {
            Lanes<Real, Count> number;
            load<Real, Count>(numbers + s * stride, number);
            repeat<4>([&](auto i) __attribute__((always_inline)) {
              fuse_into<Real, Count>(number, weight[i], sum[4 * s + i]);
            });
          });
        }
      }
      sum_lanes<Real, Count>(sum);
      Real* const to = sums + row * block + y * 4;
      repeat<16 / Count>([&](auto i) __attribute__((always_inline)) {
        Lanes<Real, Count> total;
        load<Real, Count>(to + i * Count, total);
        total += sum[i];
        store<Real, Count>(total, to + i * Count);
      });
    }
  }

  /// Some columns from z on times all samples.
  template <int Count, int Vectors>
  [[gnu::always_inline]] void add_columns(EntryList const& list, Value const* of_tap, std::size_t first,
                                          std::size_t last, std::size_t rows, std::size_t z,
                                          Real const* inputs, std::size_t stride, Real* sums) const {
    for (std::size_t row = 0; row < rows; row += 4) {
      Lanes<Real, Count> sum[4][Vectors];
      repeat<4>([&](auto s) __attribute__((always_inline)) {
        repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
          load<Real, Count>(sums + (row + s) * block + z + i * Count, sum[s][i]);
        });
      });
      for (std::size_t t = first; t < last; ++t) {
        Value const* weights = of_tap + list.value[t] * block * block + z;
        Real const* numbers = inputs + row * stride + (t - first) * block;
        for (std::size_t y = 0; y < block; ++y, weights += block, ++numbers) {
          Lanes<Real, Count> weight[Vectors];
          repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
            load<Real, Count>(weights + i * Count, weight[i]);
          });
          repeat<4>([&](auto s) __attribute__((always_inline)) {
            Lanes<Real, Count> number = {};
            number += numbers[s * stride];
            repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
              fuse_into<Real, Count>(number, weight[i], sum[s][i]);
            });
          });
        }
      }
      repeat<4>([&](auto s) __attribute__((always_inline)) {
        repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
          store<Real, Count>(sum[s][i], sums + (row + s) * block + z + i * Count);
        });
      });
    }
  }

  template <int Count>
  [[gnu::always_inline]] void finish(std::size_t output, std::size_t sample, std::size_t samples,
                                     Real const* sums) const {
    std::size_t const there = smaller(block, out.features - output);
    for (std::size_t row = 0; row < samples; ++row) {
      for (std::size_t i = 0; i < there; i += Count) {
        Lanes<Real, Count> sum;
        if constexpr (Transposed) {
          load<Real, Count>(sums + row * block + i, sum);
        } else {
          Real line[Count];
          for (std::size_t lane = 0; lane < Count; ++lane) {
            line[lane] = sums[row / 4 * 4 * block + (i + lane) / 4 * 16 + row % 4 * 4 + (i + lane) % 4];
          }
          load<Real, Count>(line, sum);
        }
        finish_outputs<Real, Count>(epilogue, output + i, smaller(there - i, Count), sum, out, sample + row);
      }
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
