#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/device_samples.cuh"
#include "weir/cuda/kernels/entry_table.cuh"
#include "weir/cuda/kernels/multiply_entries.cuh"
#include "weir/cuda/kernels/wide_tiles.cuh"

namespace weir::inline v1 {
namespace detail {

/// What DeviceMultiplyTiles does, by warpgroups: a block has the outputs of one line of tiles, for 128
/// samples of each warpgroup. The left operand is a tile of values, the right one are the samples.
template <class Element, class Out, int Side, bool Transposed, int Warpgroups, int Stages>
struct DeviceMultiplyWideTiles {
  using Real = AccumulatorOf<Element>;
  using Tiles = WideTiles<Element, Side, Transposed, false, Warpgroups, Stages>;
  static constexpr unsigned threads = Tiles::threads;
  static constexpr unsigned samples = Tiles::wide;
  static constexpr unsigned pieces = Side / panel_side;  // of a tile
  static constexpr std::size_t shared_bytes = TileLine<Transposed>::bytes + Tiles::shared_bytes;

  EntryTable tiles;
  Element const* values;      // 16-byte aligned
  std::size_t value_count;    // of a tap
  DeviceSamples<Element> in;  // 16-byte aligned lines
  BatchView<Out, DeviceSpace> out;
  ProductEpilogue<Real> epilogue;

  WEIR_HOST_DEVICE std::size_t lines() const { return (out.features + Side - 1) / Side; }
  WEIR_HOST_DEVICE std::size_t blocks() const { return lines() * ((in.samples + samples - 1) / samples); }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    std::size_t const first_sample = block.index() / lines() * samples;
    TileLine<Transposed> const line(tiles, block.index() % lines(), memory);
    line.look_up(block);
    Lines of_samples(in, first_sample + block.thread() / 8);
    unsigned char* const panels = Tiles::aligned(block, memory + TileLine<Transposed>::bytes);
    typename Tiles::Sums sums = {};
    block.sync();
    Tiles::multiply(
        block, panels, line.live * pieces * in.taps,
        [&](unsigned step, unsigned char* left, unsigned char* right) {
          load(block, left, right, line, step, of_samples);
        },
        sums);
    // In shared memory the outputs of a sample come to lie beside each other.
    auto* const staged = reinterpret_cast<float*>(panels);
    block.sync();
    Tiles::each_pair(block.thread(), sums, [&](unsigned output, unsigned sample, float one, float next) {
      staged[sample * staged_line + output] = one;
      staged[(sample + 1) * staged_line + output] = next;
    });
    block.sync();
    for (unsigned at = block.thread(); at < samples * (Side / 8); at += threads) {
      unsigned const sample = at / (Side / 8);
      unsigned const output = at % (Side / 8) * 8;
      if (first_sample + sample >= in.samples) break;
      write(first_sample + sample, line.line * Side + output, staged + sample * staged_line + output);
    }
  }

 private:
  static constexpr unsigned apart = panel_lines_apart<threads>;
  using Lines = SampleLines<Element, samples / apart, apart>;  // of a thread
  static constexpr unsigned staged_line = Side + 4;  // so that the sums of a warp go to different banks
  static_assert(samples * staged_line * sizeof(float) <= std::size_t{Stages} * Tiles::stage_bytes);

  template <class Block>
  WEIR_HOST_DEVICE void load(Block const& block, unsigned char* left, unsigned char* right,
                             TileLine<Transposed> const& line, unsigned step, Lines& of_samples) const {
    unsigned const piece = step % pieces;
    unsigned const slot = step / pieces % line.live;
    unsigned const tap = step / pieces / line.live;
    if (tap != of_samples.tap) of_samples.find(in, tap);
    EntryTable::Tile const tile = line.tile(slot);
    Element const* const of_tile = values + tap * value_count + tile.value * (Side * Side);
    copy_panels<Tiles::left_panels, threads>(
        block, left, values, [&](unsigned panel, unsigned row, unsigned) -> PanelLine<Element> {
          unsigned const output = (Transposed ? piece : panel) * panel_side + row;
          unsigned const input = (Transposed ? panel : piece) * panel_side;
          return {of_tile + output * Side + input, panel_side};
        });
    std::size_t const input = tile.input * Side + piece * panel_side;
    std::size_t const there = in.features > input ? in.features - input : 0;
    copy_panels<Tiles::right_panels, threads>(
        block, right, values, [&](unsigned, unsigned, unsigned i) -> PanelLine<Element> {
          if (!of_samples.has(i)) return {nullptr, 0};
          return {in.data + of_samples.line[i] * in.stride + input, there};
        });
  }

  /// 8 outputs of a sample, or those that there are.
  WEIR_HOST_DEVICE void write(std::size_t sample, std::size_t output, float const* sums) const {
    if (output >= out.features) return;
    Pack<Out, 8> pack;
    std::size_t const left = out.features - output;
    auto const count = static_cast<unsigned>(left < 8 ? left : 8);
    unroll<8>([&](int i) {
      if (static_cast<unsigned>(i) < count) {
        std::size_t const own = output + static_cast<unsigned>(i);
        pack.elements[i] = same_bits<Out>(finished(epilogue, own, Real{sums[i]}));
      }
    });
    Out* const to = &out(sample, output);
    if (count == 8 && out.is_batch_major() && reinterpret_cast<std::uintptr_t>(to) % 16 == 0) {
      store(pack, to);
    } else {
      unroll<8>([&](int i) {
        if (static_cast<unsigned>(i) < count)
          out(sample, output + static_cast<unsigned>(i)) = pack.elements[i];
      });
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
