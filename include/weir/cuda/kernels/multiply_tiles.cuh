#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/entry_table.cuh"
#include "weir/cuda/kernels/multiply_entries.cuh"
#include "weir/cuda/kernels/tile_operand.cuh"

namespace weir::inline v1 {
namespace detail {

/// y = x W^T, or dx = dy W, of tiles of `Side` x `Side` by tensor cores, with samples one after another. A
/// block has 128 samples of the outputs of one line of tiles; it goes over the line's live tiles, and pieces
/// of both operands arrive in shared memory while those before are multiplied.
template <class Element, class Out, int Side, bool Transposed, int Stages>
struct DeviceMultiplyTiles {
  using Real = AccumulatorOf<Element>;
  static constexpr int side = Side;
  static constexpr int samples = 128;
  static constexpr int depth = Side >= 64 ? 64 : 32;  // of a piece
  static constexpr int pieces = Side / depth;         // of a tile
  static constexpr int warps_across = Side >= 64 ? 2 : 1;
  static constexpr int warps_down = Side == 32 ? 4 : 2;
  static constexpr int threads = 32 * warps_down * warps_across;
  static constexpr int down = samples / warps_down / 16;
  static constexpr int across = Side / warps_across / 16;
  static constexpr int stages = Stages;
  using Left = TileOperand<Element, samples, depth>;
  using Right =
      std::conditional_t<Transposed, TileOperand<Element, depth, Side>, TileOperand<Element, Side, depth>>;
  static constexpr int stage_elements = Left::elements + Right::elements;
  static constexpr std::size_t shared_bytes =
      TileLine<Transposed>::bytes + std::size_t{stages} * stage_elements * sizeof(Element);

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
    auto* const shared = reinterpret_cast<Element*>(memory + TileLine<Transposed>::bytes);
    std::size_t const first_sample = block.index() / lines() * samples;
    TileLine<Transposed> const line(tiles, block.index() % lines(), memory);
    line.look_up(block);
    unsigned const steps = line.live * pieces * in.taps;
    Lines of_samples(in, first_sample + block.thread() / Left::chunks);
    block.sync();
    unroll<stages - 1>([&](int stage) {
      if (static_cast<unsigned>(stage) < steps)
        load(block, shared + stage * stage_elements, line, static_cast<unsigned>(stage), of_samples);
      block.close();
    });
    WarpSums<down, across> sums;
    unsigned const warp = block.thread() / 32;
    int const row = static_cast<int>(warp) / warps_across * (16 * down);
    int const column = static_cast<int>(warp) % warps_across * (16 * across);
    unsigned stage = 0;
    for (unsigned step = 0; step < steps; ++step) {
      block.template await_all_but<stages - 2>();
      block.sync();  // this piece is there for all, and nobody reads the one before any more
      unsigned const next = step + stages - 1;
      unsigned const next_stage = stage == 0 ? stages - 1 : stage - 1;
      if (next < steps)
        load(block, shared + next_stage * static_cast<unsigned>(stage_elements), line, next, of_samples);
      block.close();
      Element const* const left = shared + stage * static_cast<unsigned>(stage_elements);
      multiply_piece(block, left, left + Left::elements, row, column, sums);
      stage = stage + 1 == stages ? 0 : stage + 1;
    }
    sums.each_pair(block.thread() % 32, [&](int i, int j, float one, float next) {
      std::size_t const sample = first_sample + static_cast<unsigned>(row + i);
      std::size_t const output = line.line * Side + static_cast<unsigned>(column + j);
      if (sample < out.samples) write(sample, output, one, next);
    });
  }

 private:
  using Lines =
      SampleLines<Element, samples * Left::chunks / threads, threads / Left::chunks>;  // of a thread

  template <class Block>
  WEIR_HOST_DEVICE void load(Block const& block, Element* to, TileLine<Transposed> const& line, unsigned step,
                             Lines& of_samples) const {
    unsigned const piece = step % pieces;
    unsigned const slot = step / pieces % line.live;
    unsigned const tap = step / pieces / line.live;
    if (tap != of_samples.tap) of_samples.find(in, tap);
    EntryTable::Tile const tile = line.tile(slot);
    std::size_t const input = tile.input * Side + piece * depth;
    Element const* const tile_values = values + tap * value_count + tile.value * (Side * Side);
    std::size_t const left = in.features > input ? in.features - input : 0;
    Left::template copy<threads>(block, to, values, left, [&](int, int i) -> Element const* {
      if (!of_samples.has(static_cast<unsigned>(i))) return nullptr;
      return in.data + of_samples.line[i] * in.stride + input;
    });
    if constexpr (Transposed) {
      Right::template copy<threads>(block, to + Left::elements, values, Side, [&](int row, int) {
        return tile_values + (piece * depth + static_cast<unsigned>(row)) * Side;
      });
    } else {
      Right::template copy<threads>(block, to + Left::elements, values, depth, [&](int row, int) {
        return tile_values + static_cast<unsigned>(row) * Side + piece * depth;
      });
    }
  }

  template <class Block>
  WEIR_HOST_DEVICE static void multiply_piece(Block const& block, Element const* left, Element const* right,
                                              int row, int column, WarpSums<down, across>& sums) {
    unroll<depth / 16>([&](int k) {
      std::uint32_t of_left[down][4];
      std::uint32_t of_right[across][4];
      unroll<down>([&](int i) { Left::left_along(block, left, row + 16 * i, 16 * k, of_left[i]); });
      unroll<across>([&](int j) {
        if constexpr (Transposed) {
          Right::right_across(block, right, column + 16 * j, 16 * k, of_right[j]);
        } else {
          Right::right_along(block, right, column + 16 * j, 16 * k, of_right[j]);
        }
      });
      sums.add(block, of_left, of_right, left);
    });
  }

  WEIR_HOST_DEVICE void write(std::size_t sample, std::size_t output, float one, float next) const {
    Pack<Out, 2> pair;
    if (output + 1 < out.features) {
      pair.elements[0] = same_bits<Out>(finished(epilogue, output, one));
      pair.elements[1] = same_bits<Out>(finished(epilogue, output + 1, next));
      Out* const to = &out(sample, output);
      if (out.is_batch_major() && reinterpret_cast<std::uintptr_t>(to) % sizeof(pair) == 0) {
        *reinterpret_cast<Pack<Out, 2>*>(to) = pair;
      } else {
        *to = pair.elements[0];
        out(sample, output + 1) = pair.elements[1];
      }
    } else if (output < out.features) {
      out(sample, output) = same_bits<Out>(finished(epilogue, output, one));
    }
  }
};

/// Whether all code that feeds tensor cores has tiles of this side in so many stages, or only that for sm_90
/// and later: two blocks of three stages of 128 do not fit a multiprocessor of sm_80.
WEIR_HOST_DEVICE constexpr bool is_in_all_code(int side, int stages) {
  return side < 128 || stages < 3;
}
template <class Operation>
WEIR_HOST_DEVICE constexpr bool is_in_this_code() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  return is_in_all_code(Operation::side, Operation::stages);
#else
  return true;
#endif
}

/// Code that has it not says so by its bound: a block of one warp.
template <class Operation>
__global__ void __launch_bounds__(is_in_this_code<Operation>() ? Operation::threads : 32, 2)
    tiles_kernel([[maybe_unused]] __grid_constant__ Operation const operation) {
  if constexpr (is_in_this_code<Operation>()) {
    extern __shared__ __align__(16) unsigned char tile_memory[];
    operation.run(DeviceBlock(), tile_memory);
  }
}

/// Whether blocks of a kernel may have so many threads in the code that the device runs.
inline bool has_room_for(void const* kernel, unsigned threads) {
  cudaFuncAttributes attributes = {};
  check_cuda(cudaFuncGetAttributes(&attributes, kernel), "cudaFuncGetAttributes");
  return attributes.maxThreadsPerBlock >= static_cast<int>(threads);
}

/// Enqueues an operation on tiles of so much shared memory that the device has to be asked for it, if the
/// code that the device runs has it; says whether.
template <class Operation>
bool launch_tile_products(CudaExecutor const& executor, Operation const& operation, char const* what) {
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  auto* const kernel = tiles_kernel<Operation>;
  auto const* const function = reinterpret_cast<void const*>(kernel);
  if (!is_in_all_code(Operation::side, Operation::stages) && !has_room_for(function, Operation::threads))
    return false;
  check_cuda(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(Operation::shared_bytes)),
             "cudaFuncSetAttribute");
  kernel<<<blocks_of(operation, what), Operation::threads, Operation::shared_bytes, stream>>>(operation);
  check_cuda(cudaPeekAtLastError(), what);
  return true;
}

}  // namespace detail
}  // namespace weir::inline v1
