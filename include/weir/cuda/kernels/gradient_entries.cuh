#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/entry_table.cuh"
#include "weir/cuda/kernels/staged_samples.cuh"
#include "weir/exec/masked_product.hpp"

namespace weir::inline v1 {
namespace detail {

/// The gradient of the values, entry by entry, for every layout, order and convolution. A thread has one row
/// of a chunk of columns, some entries at a time, each one chain of fused multiply-adds over a few hundred
/// samples, which is then added to its sum; of other types than float over all of them. Where there are more
/// teams than one, each sums up its share of the samples, and the first adds the sums in their order.
template <class In, class Number, class Entries>
struct GradientEntries {
  using Real = Number;
  using Staged = StagedSamples<Real>;
  static constexpr unsigned most_threads = 512;
  static constexpr int blocks_together = 1;
  static constexpr int held = 8;  // entries
  static constexpr bool has_chains = std::is_same_v<In, float>;
  static constexpr std::size_t chain = 256;  // samples of a team
  static_assert(most_threads * held * sizeof(Real) <= staged_columns * staged_bytes_of_column);

  Entries entries;
  std::size_t value_count;  // of a tap
  DeviceSamples<In> dy;
  DeviceSamples<In> x;
  Real* gradient;
  GradientMode mode;
  LaneShape shape;
  unsigned columns;  // of a chunk, a power of two, at most those that there is room for

  WEIR_HOST_DEVICE std::size_t output_blocks() const { return (dy.features + shape.lanes - 1) / shape.lanes; }
  WEIR_HOST_DEVICE std::size_t chunks() const { return (x.features + columns - 1) / columns; }
  WEIR_HOST_DEVICE std::size_t blocks() const { return output_blocks() * chunks() * x.taps; }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* shared) const {
    Staged const staged = Staged::in(shared, columns, shape.teams);
    std::size_t const output = block.index() % output_blocks() * shape.lanes + block.thread() % shape.lanes;
    std::size_t const first = block.index() / output_blocks() % chunks() * columns;
    auto const tap = static_cast<std::uint32_t>(block.index() / output_blocks() / chunks());
    std::size_t const last = first + columns < x.features ? first + columns : x.features;
    bool const is_there = output < dy.features;
    for (unsigned done = 0;; done += held) {
      unsigned at[held] = {};
      unsigned count = 0;
      auto const note = [&](std::uint32_t column, std::size_t) {
        unroll<held>([&](int i) {
          if (count == done + static_cast<unsigned>(i)) at[i] = column * Staged::line;
        });
        ++count;
      };
      if (is_there) visit_chunk<false>(entries, output, first, last, columns, note);
      if (!block.any(count > done)) return;
      Real sum[held] = {};
      auto const width = static_cast<unsigned>(last - first);
      if constexpr (!has_chains) {
        add_samples(block, staged, output, first, width, tap, at, 0, sum);
      } else {
        std::size_t const of_chain = chain * shape.teams;
        for (std::size_t begin = 0; begin < x.samples; begin += of_chain) {
          Real part[held] = {};
          add_samples(block, staged, output, first, width, tap, at, begin, part);
          unroll<held>([&](int e) { sum[e] += part[e]; });
        }
      }
      add_teams(block, staged, sum);
      if (is_there && block.thread() < shape.lanes) write(output, first, last, tap, done, sum);
    }
  }

 private:
  template <class Block>
  WEIR_HOST_DEVICE void add_samples(Block const& block, Staged const& staged, std::size_t output,
                                    std::size_t first, unsigned count, std::uint32_t tap,
                                    unsigned const (&at)[held], std::size_t begin_sample,
                                    Real (&sum)[held]) const {
    constexpr auto of_team = static_cast<unsigned>(Staged::samples);
    static_assert(chain % Staged::samples == 0);
    unsigned const team = block.thread() / shape.lanes;
    unsigned const begin = staged.place(team, 0);
    auto const is_in_chain = [&](std::size_t sample) {
      return !has_chains || sample - begin_sample < chain * shape.teams;
    };
    for (std::size_t sample = begin_sample; sample < x.samples && is_in_chain(sample);
         sample += of_team * shape.teams) {
      block.sync();
      staged.find(block, x, sample, tap);
      block.sync();
      staged.stage(block, x, first, count);
      block.sync();
      if (output >= dy.features) continue;
      std::size_t const own = sample + team * of_team;
      unroll<Staged::samples / Staged::wide>([&](int i) {
        typename Staged::Wide factor;
        unroll<Staged::wide>([&](int j) {
          std::size_t const from = own + static_cast<unsigned>(i * Staged::wide + j);
          bool const is_there = from < dy.samples;
          std::size_t const place =
              dy.is_batch_major() ? from * dy.stride + output : output * dy.stride + from;
          factor.elements[j] = is_there ? as_real<Real>(dy.data[place]) : Real{0};
        });
        unroll<held>([&](int e) {
          auto const numbers = staged.read(begin + at[e] + static_cast<unsigned>(i) * Staged::wide);
          unroll<Staged::wide>(
              [&](int j) { sum[e] = fused(factor.elements[j], numbers.elements[j], sum[e]); });
        });
      });
    }
  }

  /// The first team has all afterwards.
  template <class Block>
  WEIR_HOST_DEVICE void add_teams(Block const& block, Staged const& staged, Real (&sum)[held]) const {
    if (shape.teams == 1) return;
    block.sync();
    unsigned const threads = shape.lanes * shape.teams;
    unroll<held>(
        [&](int e) { staged.numbers[static_cast<unsigned>(e) * threads + block.thread()] = sum[e]; });
    block.sync();
    if (block.thread() >= shape.lanes) return;
    for (unsigned from = block.thread() + shape.lanes; from < threads; from += shape.lanes) {
      unroll<held>([&](int e) { sum[e] += staged.numbers[static_cast<unsigned>(e) * threads + from]; });
    }
  }

  WEIR_HOST_DEVICE void write(std::size_t output, std::size_t first, std::size_t last, std::uint32_t tap,
                              unsigned done, Real const (&sum)[held]) const {
    Real* const to = gradient + tap * value_count;
    unsigned count = 0;
    visit_chunk<false>(entries, output, first, last, columns, [&](std::uint32_t, std::size_t value) {
      unroll<held>([&](int i) {
        if (count != done + static_cast<unsigned>(i)) return;
        to[value] = mode == GradientMode::accumulate ? to[value] + sum[i] : sum[i];
      });
      ++count;
    });
  }
};

}  // namespace detail
}  // namespace weir::inline v1
