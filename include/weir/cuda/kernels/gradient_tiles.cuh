#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/multiply_tiles.cuh"

namespace weir::inline v1 {
namespace detail {

/// The gradient of the values of tiles by tensor cores: a block has one tile, which is the product of its
/// outputs' gradients and its inputs over all samples. What a cut tile lacks becomes zero.
template <class Element, int Side, int Stages>
struct DeviceGradientTiles {
  static constexpr int side = Side;
  static constexpr int depth = Side == 128 ? 32 : 64;  // samples of a piece
  static constexpr int warps_across = 2;
  static constexpr int warps_down = 2;
  static constexpr int threads = 32 * warps_down * warps_across;
  static constexpr int down = Side / warps_down / 16;
  static constexpr int across = Side / warps_across / 16;
  static constexpr int stages = Stages;
  using Operand = TileOperand<Element, depth, Side>;
  static constexpr int stage_elements = 2 * Operand::elements;
  static constexpr std::size_t shared_bytes = std::size_t{stages} * stage_elements * sizeof(Element);

  EntryTable tiles;
  std::size_t tile_count;
  DeviceSamples<Element> dy;  // 16-byte aligned lines
  DeviceSamples<Element> x;
  float* gradient;
  GradientMode mode;

  WEIR_HOST_DEVICE std::size_t blocks() const { return tile_count * x.taps; }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    auto* const shared = reinterpret_cast<Element*>(memory);
    auto const tap = static_cast<std::uint32_t>(block.index() / tile_count);
    EntryPlace const place = tiles.tile_place(block.index() % tile_count);
    std::size_t const output = place.row * Side;
    std::size_t const input = place.column * Side;
    bool const is_live = output < dy.features && input < x.features;
    std::size_t const steps = is_live ? (x.samples + depth - 1) / depth : 0;
    unroll<stages - 1>([&](int stage) {
      if (static_cast<unsigned>(stage) < steps)
        load(block, shared + stage * stage_elements, output, input, static_cast<unsigned>(stage), tap);
      block.close();
    });
    WarpSums<down, across> sums;
    unsigned const warp = block.thread() / 32;
    int const row = static_cast<int>(warp) / warps_across * (16 * down);
    int const column = static_cast<int>(warp) % warps_across * (16 * across);
    unsigned stage = 0;
    for (std::size_t step = 0; step < steps; ++step) {
      block.template await_all_but<stages - 2>();
      block.sync();  // this piece is there for all, and nobody reads the one before any more
      std::size_t const next = step + stages - 1;
      unsigned const next_stage = stage == 0 ? stages - 1 : stage - 1;
      if (next < steps)
        load(block, shared + next_stage * static_cast<unsigned>(stage_elements), output, input, next, tap);
      block.close();
      Element const* const left = shared + stage * static_cast<unsigned>(stage_elements);
      multiply_piece(block, left, left + Operand::elements, row, column, sums);
      stage = stage + 1 == stages ? 0 : stage + 1;
    }
    float* const to = gradient + std::size_t{block.index()} * (Side * Side);
    sums.each_pair(block.thread() % 32, [&](int i, int j, float one, float next) {
      float* const at = to + static_cast<unsigned>((row + i) * Side + column + j);
      // Padding has the products of zeros with what may be infinite.
      std::size_t const own = input + static_cast<unsigned>(column + j);
      bool const has_row = output + static_cast<unsigned>(row + i) < dy.features;
      if (!(has_row && own < x.features)) one = 0;
      if (!(has_row && own + 1 < x.features)) next = 0;
      at[0] = mode == GradientMode::accumulate ? at[0] + one : one;
      at[1] = mode == GradientMode::accumulate ? at[1] + next : next;
    });
  }

 private:
  template <class Block>
  WEIR_HOST_DEVICE void load(Block const& block, Element* to, std::size_t output, std::size_t input,
                             std::size_t step, std::uint32_t tap) const {
    copy(block, to, dy, output, step * depth, 0);
    copy(block, to + Operand::elements, x, input, step * depth, tap);
  }
  template <class Block>
  WEIR_HOST_DEVICE static void copy(Block const& block, Element* to, DeviceSamples<Element> const& from,
                                    std::size_t feature, std::size_t first, std::uint32_t tap) {
    Operand::template copy<threads>(
        block, to, from.data, from.features - feature, [&](int row, int) -> Element const* {
          std::size_t const line = from.line(first + static_cast<unsigned>(row), tap);
          return line == DeviceSamples<Element>::outside ? nullptr : from.data + line * from.stride + feature;
        });
  }

  template <class Block>
  WEIR_HOST_DEVICE static void multiply_piece(Block const& block, Element const* left, Element const* right,
                                              int row, int column, WarpSums<down, across>& sums) {
    unroll<depth / 16>([&](int k) {
      std::uint32_t of_left[down][4];
      std::uint32_t of_right[across][4];
      unroll<down>([&](int i) { Operand::left_across(block, left, row + 16 * i, 16 * k, of_left[i]); });
      unroll<across>(
          [&](int j) { Operand::right_across(block, right, column + 16 * j, 16 * k, of_right[j]); });
      sums.add(block, of_left, of_right, left);
    });
  }
};

}  // namespace detail
}  // namespace weir::inline v1
