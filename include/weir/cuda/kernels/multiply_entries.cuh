#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/block.cuh"
#include "weir/cuda/kernels/entry_table.cuh"
#include "weir/cuda/kernels/staged_samples.cuh"
#include "weir/exec/masked_product.hpp"

namespace weir::inline v1 {
namespace detail {

/// What becomes of a sum before it is stored.
template <class Real>
WEIR_HOST_DEVICE inline Real finished(ProductEpilogue<Real> const& epilogue, std::size_t output, Real sum) {
  if (epilogue.bias != nullptr) sum += epilogue.bias[output];
  return activate(epilogue.activation, sum);
}

/// y = x W^T, or dx = dy W, entry by entry, for every layout, order and convolution. A thread has one output
/// of some samples, which is one chain of fused multiply-adds in the order of the visit; samples lie in
/// shared memory, chunk by chunk, and each value is read once for them.
template <class Value, class In, class Out, class Entries, bool Transposed>
struct MultiplyEntries {
  using Real = AccumulatorOf<Value>;
  using Staged = StagedSamples<Real>;
  /// What finds the entries of any layout needs many registers.
  static constexpr bool is_for_groups = std::is_same_v<Entries, GroupLayout>;
  static constexpr unsigned most_threads = is_for_groups || sizeof(Real) == 4 ? 512 : 256;
  static constexpr int blocks_together = is_for_groups ? 2 : 1;  // on a multiprocessor

  Entries entries;
  Value const* values;
  std::size_t value_count;  // of a tap
  DeviceSamples<In> in;
  BatchView<Out, DeviceSpace> out;
  ProductEpilogue<Real> epilogue;
  LaneShape shape;

  WEIR_HOST_DEVICE std::size_t output_blocks() const {
    return (out.features + shape.lanes - 1) / shape.lanes;
  }
  WEIR_HOST_DEVICE std::size_t samples_of_block() const {
    return std::size_t{shape.teams} * static_cast<unsigned>(Staged::samples);
  }
  WEIR_HOST_DEVICE std::size_t blocks() const {
    return output_blocks() * ((in.samples + samples_of_block() - 1) / samples_of_block());
  }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* shared) const {
    unsigned const columns = staged_columns / shape.teams;
    Staged const staged = Staged::in(shared, columns, shape.teams);
    unsigned const team = block.thread() / shape.lanes;
    std::size_t const output = block.index() % output_blocks() * shape.lanes + block.thread() % shape.lanes;
    std::size_t const first_sample = block.index() / output_blocks() * samples_of_block();
    Real sum[Staged::samples] = {};
    for (std::uint32_t tap = 0; tap < in.taps; ++tap) {
      Value const* const of_tap = values + tap * value_count;
      block.sync();
      staged.find(block, in, first_sample, tap);
      for (std::size_t first = 0; first < in.features; first += columns) {
        std::size_t const last = first + columns < in.features ? first + columns : in.features;
        block.sync();
        staged.stage(block, in, first, static_cast<unsigned>(last - first));
        block.sync();
        if (output >= out.features) continue;
        unsigned const begin = staged.place(team, 0);
        visit_chunk<Transposed>(entries, output, first, last, columns,
                                [&](std::uint32_t column, std::size_t at) {
                                  add_entry(staged, begin + column * Staged::line, of_tap[at], sum);
                                });
      }
    }
    if (output >= out.features) return;
    std::size_t const sample = first_sample + team * static_cast<unsigned>(Staged::samples);
    unroll<Staged::samples>([&](int i) {
      if (sample + static_cast<unsigned>(i) >= in.samples) return;
      out(sample + static_cast<unsigned>(i), output) = same_bits<Out>(finished(epilogue, output, sum[i]));
    });
  }

 private:
  WEIR_HOST_DEVICE static void add_entry(Staged const& staged, unsigned at, Value value,
                                         Real (&sum)[Staged::samples]) {
    Real const factor = as_real<Real>(value);
    unroll<Staged::samples / Staged::wide>([&](int i) {
      auto const numbers = staged.read(at + static_cast<unsigned>(i) * Staged::wide);
      unroll<Staged::wide>([&](int j) {
        sum[i * Staged::wide + j] = fused(factor, numbers.elements[j], sum[i * Staged::wide + j]);
      });
    });
  }
};

template <class Operation>
__global__ void __launch_bounds__(static_cast<int>(Operation::most_threads), Operation::blocks_together)
    entries_kernel(__grid_constant__ Operation const operation) {
  __shared__ alignas(16) unsigned char shared[Operation::Staged::bytes];
  operation.run(DeviceBlock(), shared);
}

/// Enqueues an operation on entries that has at least one block.
template <class Operation>
void launch_entries(CudaExecutor const& executor, Operation const& operation, char const* what) {
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  entries_kernel<<<blocks_of(operation, what), operation.shape.threads(), 0, stream>>>(operation);
  check_cuda(cudaPeekAtLastError(), what);
}

}  // namespace detail
}  // namespace weir::inline v1
