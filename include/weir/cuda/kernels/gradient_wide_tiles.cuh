#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/device_samples.cuh"
#include "weir/cuda/kernels/entry_table.cuh"
#include "weir/cuda/kernels/wide_tiles.cuh"
#include "weir/exec/masked_product.hpp"

namespace weir::inline v1 {
namespace detail {

/// What DeviceGradientTiles does, by warpgroups: a block has some live tiles of one row of tiles, with 128
/// inputs for each warpgroup. The left operand are the gradients of the outputs, the right one are the
/// inputs. Tiles that are nothing but padding stay as they are.
template <class Element, int Side, int Warpgroups, int Stages>
struct DeviceGradientWideTiles {
  using Tiles = WideTiles<Element, Side, true, true, Warpgroups, Stages>;
  static constexpr unsigned threads = Tiles::threads;
  static constexpr unsigned together = Tiles::wide / Side;  // tiles of a block
  static constexpr std::size_t shared_bytes = Tiles::shared_bytes;

  EntryTable tiles;
  std::size_t tile_count;     // of a tap
  std::size_t most_tiles;     // of a row; no row has more
  DeviceSamples<Element> dy;  // a batch; 16-byte aligned lines
  DeviceSamples<Element> x;
  float* gradient;
  GradientMode mode;

  WEIR_HOST_DEVICE std::size_t rows() const { return (dy.features + Side - 1) / Side; }
  WEIR_HOST_DEVICE std::size_t blocks() const {
    return (most_tiles + together - 1) / together * rows() * x.taps;
  }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    auto const tap = static_cast<std::uint32_t>(block.index() % x.taps);
    std::size_t const row = block.index() / x.taps % rows();
    std::size_t const first = block.index() / x.taps / rows() * together;
    std::size_t const live = tiles.template tiles_of<false>(row);
    if (first >= live) return;
    std::size_t const output = row * Side;
    std::size_t inputs[together];
    std::size_t values[together];
    unroll<static_cast<int>(together)>([&](int i) {
      bool const is_there = first + static_cast<unsigned>(i) < live;
      auto const tile = tiles.template tile<false>(row, is_there ? first + static_cast<unsigned>(i) : first);
      inputs[i] = is_there ? tile.input * Side : x.features;  // behind the last there is nothing to be read
      values[i] = tile.value * (Side * Side);
    });
    typename Tiles::Sums sums = {};
    Tiles::multiply(
        block, Tiles::aligned(block, memory),
        static_cast<unsigned>((x.samples + panel_side - 1) / panel_side),
        [&](unsigned step, unsigned char* left, unsigned char* right) {
          load(block, left, right, output, inputs, step, tap);
        },
        sums);
    float* const of_tap = gradient + tap * tile_count * (Side * Side);
    Tiles::each_pair(block.thread(), sums, [&](unsigned i, unsigned j, float one, float next) {
      std::size_t tile_input = 0, tile_values = 0;
      unroll<static_cast<int>(together)>([&](int tile) {
        if (j / Side == static_cast<unsigned>(tile)) {
          tile_input = inputs[tile];
          tile_values = values[tile];
        }
      });
      if (tile_input >= x.features) return;
      float* const at = of_tap + tile_values + i * Side + j % Side;
      // Padding has the products of zeros with what may be infinite.
      std::size_t const own = tile_input + j % Side;
      bool const has_row = output + i < dy.features;
      if (!(has_row && own < x.features)) one = 0;
      if (!(has_row && own + 1 < x.features)) next = 0;
      at[0] = mode == GradientMode::accumulate ? at[0] + one : one;
      at[1] = mode == GradientMode::accumulate ? at[1] + next : next;
    });
  }

 private:
  static constexpr unsigned apart = panel_lines_apart<threads>;
  static constexpr unsigned lines_of_thread = panel_side / apart;
  static constexpr std::size_t outside = DeviceSamples<Element>::outside;

  template <class Block>
  WEIR_HOST_DEVICE void load(Block const& block, unsigned char* left, unsigned char* right,
                             std::size_t output, std::size_t const (&inputs)[together], unsigned step,
                             std::uint32_t tap) const {
    std::size_t of_dy[lines_of_thread];
    std::size_t of_x[lines_of_thread];
    unroll<static_cast<int>(lines_of_thread)>([&](int i) {
      std::size_t const sample =
          std::size_t{step} * panel_side + block.thread() / 8 + static_cast<unsigned>(i) * apart;
      of_dy[i] = sample < dy.samples ? sample : outside;
      of_x[i] = x.line(sample, tap);
    });
    copy_panels<Tiles::left_panels, threads>(block, left, dy.data, [&](unsigned panel, unsigned, unsigned i) {
      return part(dy, of_dy[i % lines_of_thread], output + panel * panel_side);
    });
    copy_panels<Tiles::right_panels, threads>(
        block, right, x.data, [&](unsigned panel, unsigned, unsigned i) {
          std::size_t const input = inputs[panel * panel_side / Side] + panel * panel_side % Side;
          return part(x, of_x[i % lines_of_thread], input);
        });
  }

  /// A line from a feature on.
  WEIR_HOST_DEVICE static PanelLine<Element> part(DeviceSamples<Element> const& from, std::size_t line,
                                                  std::size_t feature) {
    if (line == outside || feature >= from.features) return {nullptr, 0};
    return {from.data + line * from.stride + feature, from.features - feature};
  }
};

}  // namespace detail
}  // namespace weir::inline v1
