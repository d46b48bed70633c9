#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/tuning.cuh"
#include "weir/exec/magnitude_key.hpp"
#include "weir/exec/two_sided_view.hpp"

namespace weir::inline v1 {
namespace detail {

// Operations on one place each: `operator()(i)`.

/// A vector whose memory is known when the kernel runs.
template <class Real>
struct WholeVector {
  Real* values;
  WEIR_HOST_DEVICE Real* data() const { return values; }
};

/// The same: the valid side.
template <class Real>
struct ValidSide {
  TwoSidedView<Real, DeviceSpace> sides;
  WEIR_HOST_DEVICE Real* data() const { return sides.current(); }
};

/// What is done with a pair, and the vector that its index belongs to.
enum class PairAction : std::uint32_t { add, add_finite, gather, zero, take };

template <PairAction Action, class Vector, class Index, class Real>
struct PairOperation {
  Vector vector;
  Index const* indices;
  Real* values;  // constant where they are added
  std::uint64_t const* count;
  std::size_t room;

  /// How many pairs there are.
  WEIR_HOST_DEVICE std::size_t size() const {
    return *count < room ? static_cast<std::size_t>(*count) : room;
  }

  WEIR_HOST_DEVICE void operator()(std::size_t i) const {
    auto& element = vector.data()[static_cast<std::size_t>(indices[i])];
    if constexpr (Action == PairAction::add) {
      element += values[i];
    } else if constexpr (Action == PairAction::add_finite) {
      using Key = MagnitudeKey<std::remove_const_t<Real>>;
      if (Key::of(values[i]) < Key::infinity) element += values[i];
    } else if constexpr (Action == PairAction::gather) {
      values[i] = element;
    } else if constexpr (Action == PairAction::zero) {
      element = 0;
    } else {
      values[i] = element;
      element = 0;
    }
  }
};

/// What is done with all of a two-sided vector.
enum class SideAction : std::uint32_t { copy_out, copy_in, zero, take };

template <SideAction Action, class Real>
struct SideOperation {
  TwoSidedView<Real, DeviceSpace> sides;
  Real* out;       // copy_out and take
  Real const* in;  // copy_in

  WEIR_HOST_DEVICE std::size_t size() const { return sides.size(); }

  WEIR_HOST_DEVICE void operator()(std::size_t i) const {
    Real& element = sides.current()[i];
    if constexpr (Action == SideAction::copy_out || Action == SideAction::take) out[i] = element;
    if constexpr (Action == SideAction::copy_in) element = in[i];
    if constexpr (Action == SideAction::zero || Action == SideAction::take) element = 0;
  }
};

/// What thread number `thread` of `threads` does of an operation.
template <class Operation>
WEIR_HOST_DEVICE inline void run_places(Operation const& operation, std::size_t thread, std::size_t threads) {
  std::size_t const size = operation.size();
  for (std::size_t i = thread; i < size; i += threads) operation(i);
}

template <class Operation>
__global__ void __launch_bounds__(tile_threads) places_kernel(__grid_constant__ Operation const operation) {
  run_places(operation, std::size_t{blockIdx.x} * tile_threads + threadIdx.x,
             std::size_t{gridDim.x} * tile_threads);
}

/// Enqueues an operation on at most `most` places.
template <class Operation>
void launch_places(CudaExecutor const& executor, Operation const& operation, std::size_t most,
                   char const* what) {
  if (most == 0) return;
  constexpr std::size_t most_blocks = 4096;  // more than run at a time, of any device
  std::size_t const wanted = (most + tile_threads - 1) / tile_threads;
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  places_kernel<<<static_cast<unsigned>(wanted < most_blocks ? wanted : most_blocks), tile_threads, 0,
                  stream>>>(operation);
  check_cuda(cudaPeekAtLastError(), what);
}

}  // namespace detail
}  // namespace weir::inline v1
