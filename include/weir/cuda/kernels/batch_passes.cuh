#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/block.cuh"
#include "weir/cuda/kernels/entry_table.cuh"
#include "weir/cuda/kernels/product_tuning.cuh"
#include "weir/exec/masked_product.hpp"

namespace weir::inline v1 {
namespace detail {

// What a layer does with a batch besides its products, by blocks of `LaneShape`.

/// `out[f]` becomes, or is increased by, the sum of feature f: a thread sums up every `teams`-th sample, a
/// few hundred at a time, and the first team adds the sums in their order.
template <class Element, class Real>
struct SumSamples {
  static constexpr unsigned most_threads = 512;
  static constexpr std::size_t shared_bytes = most_threads * sizeof(Real);
  static constexpr std::size_t chain = 256;  // samples

  BatchView<Element const, DeviceSpace> batch;
  Real* out;
  GradientMode mode;
  LaneShape shape;

  WEIR_HOST_DEVICE std::size_t blocks() const { return (batch.features + shape.lanes - 1) / shape.lanes; }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    Real* const sums = reinterpret_cast<Real*>(memory);
    unsigned const lane = block.thread() % shape.lanes;
    std::size_t const feature = std::size_t{block.index()} * shape.lanes + lane;
    bool const is_there = feature < batch.features;
    Real sum = 0;
    if (is_there) {
      std::size_t i = block.thread() / shape.lanes;
      while (i < batch.samples) {
        Real of_chain = 0;
        for (std::size_t const end = i + chain * shape.teams; i < end && i < batch.samples; i += shape.teams)
          of_chain += as_real<Real>(batch(i, feature));
        sum += of_chain;
      }
    }
    sums[block.thread()] = sum;
    block.sync();
    if (block.thread() >= shape.lanes || !is_there) return;
    for (unsigned team = 1; team < shape.teams; ++team) sum += sums[team * shape.lanes + lane];
    out[feature] = mode == GradientMode::accumulate ? out[feature] + sum : sum;
  }
};

/// `dy` becomes 0 where `y` is not above 0.
template <class Element, class Other>
struct GateGradient {
  static constexpr unsigned most_threads = 256;
  static constexpr std::size_t shared_bytes = 16;

  BatchView<Element const, DeviceSpace> y;
  BatchView<Other, DeviceSpace> dy;
  LaneShape shape;  // lanes go along what lies side by side in dy

  WEIR_HOST_DEVICE std::size_t width() const { return dy.is_batch_major() ? dy.features : dy.samples; }
  WEIR_HOST_DEVICE std::size_t lines() const { return dy.is_batch_major() ? dy.samples : dy.features; }
  WEIR_HOST_DEVICE std::size_t across() const { return (width() + shape.lanes - 1) / shape.lanes; }
  WEIR_HOST_DEVICE std::size_t blocks() const {
    return across() * ((lines() + shape.teams - 1) / shape.teams);
  }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char*) const {
    std::size_t const at = block.index() % across() * shape.lanes + block.thread() % shape.lanes;
    std::size_t const line = block.index() / across() * shape.teams + block.thread() / shape.lanes;
    if (at >= width() || line >= lines()) return;
    std::size_t const sample = dy.is_batch_major() ? line : at;
    std::size_t const feature = dy.is_batch_major() ? at : line;
    if (!(as_real<AccumulatorOf<Element>>(y(sample, feature)) > 0)) dy(sample, feature) = Other(0.0f);
  }
};

/// Elements of a dense matrix that are not live become 0.
template <class Real>
struct ClearDead {
  static constexpr unsigned most_threads = 256;
  static constexpr std::size_t shared_bytes = 16;

  EntryTable entries;
  Real* matrix;
  LaneShape shape;

  WEIR_HOST_DEVICE std::size_t across() const { return (entries.inputs() + shape.lanes - 1) / shape.lanes; }
  WEIR_HOST_DEVICE std::size_t blocks() const {
    return across() * ((entries.outputs() + shape.teams - 1) / shape.teams);
  }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char*) const {
    std::size_t const column = block.index() % across() * shape.lanes + block.thread() % shape.lanes;
    std::size_t const row = block.index() / across() * shape.teams + block.thread() / shape.lanes;
    if (column >= entries.inputs() || row >= entries.outputs()) return;
    if (!entries.contains(row, column)) matrix[row * entries.inputs() + column] = Real(0.0f);
  }
};

template <class Operation>
__global__ void __launch_bounds__(static_cast<int>(Operation::most_threads))
    batch_kernel(__grid_constant__ Operation const operation) {
  __shared__ alignas(16) unsigned char shared[Operation::shared_bytes];
  operation.run(DeviceBlock(), shared);
}

/// Enqueues an operation that has at least one block.
template <class Operation>
void launch_batch(CudaExecutor const& executor, Operation const& operation, char const* what) {
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  batch_kernel<<<blocks_of(operation, what), operation.shape.threads(), 0, stream>>>(operation);
  check_cuda(cudaPeekAtLastError(), what);
}

}  // namespace detail
}  // namespace weir::inline v1
