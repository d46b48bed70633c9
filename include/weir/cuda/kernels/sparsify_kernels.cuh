#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/count_shared.cuh"
#include "weir/cuda/kernels/first_pass.cuh"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/kernels/search_leader.cuh"
#include "weir/cuda/kernels/search_program.cuh"

namespace weir::inline v1 {
namespace detail {

/// Blocks of the search that a multiprocessor takes at once: what a search leaves to do is waiting for
/// memory, which 512 threads with 8 loads each are enough for.
inline constexpr int search_blocks_together = 2;

/// The same of the first pass: in 128 registers a thread has two lanes of sums, or what it reads of 16 rows.
inline constexpr int first_blocks_together = 2;

template <class Element, class Real, class Index>
__global__ void __launch_bounds__(search_threads, 1)
    prepare_kernel(__grid_constant__ DeviceWork<Real, Index> const work,
                   __grid_constant__ DeviceTerms<Element, Real> const terms) {
  __shared__ PrepareMemory<Real> memory;
  Preparation<Element, Real, Index>(work, terms, memory).run(SearchBlock{});
}

template <int Width, bool Moments, class Element, class Real, class Index>
__global__ void __launch_bounds__(search_threads, first_blocks_together)
    first_pass_kernel(__grid_constant__ DeviceWork<Real, Index> const work,
                      __grid_constant__ DeviceTerms<Element, Real> const terms) {
  SearchBlock const block;
  if constexpr (Moments) {
    __shared__ WarpFolds folds;
    __shared__ bool is_last;
    run_first_pass<Width, true>(block, work, terms, &folds, blockIdx.x, gridDim.x);
    // The nodes of this block are there before it says so.
    __syncthreads();
    if (threadIdx.x == 0) {
      __threadfence();
      is_last = atomicAdd(&work.header().left, 1u) == gridDim.x - 1;
      __threadfence();
    }
    __syncthreads();
    if (is_last) end_first_pass(block, work);
  } else {
    run_first_pass<Width, false>(block, work, terms, nullptr, blockIdx.x, gridDim.x);
  }
}

/// Where the blocks of a search meet after each phase. All of them run at the same time.
template <class Real>
class SearchMeeting {
 public:
  __device__ explicit SearchMeeting(SparsifyHeader<Real>& header) : header_(header) {}

  /// What the blocks have written is seen by `lead`, which the first block runs, and what that writes by all.
  template <class Lead>
  __device__ void operator()(Lead const& lead) {
    ++round_;
    __syncthreads();
    if (blockIdx.x == 0) {
      if (threadIdx.x == 0) {
        while (look(&header_.arrived) != (gridDim.x - 1) * round_) __nanosleep(32);
        __threadfence();
      }
      __syncthreads();
      lead();
      __syncthreads();
      if (threadIdx.x == 0) {
        __threadfence();
        *const_cast<unsigned volatile*>(&header_.generation) = round_;
      }
    } else if (threadIdx.x == 0) {
      __threadfence();
      atomicAdd(&header_.arrived, 1u);
      while (look(&header_.generation) != round_) __nanosleep(32);
      __threadfence();
    }
    __syncthreads();
  }

 private:
  __device__ static unsigned look(unsigned const* word) {
    return *const_cast<unsigned const volatile*>(word);
  }

  SparsifyHeader<Real>& header_;
  unsigned round_ = 0;
};

template <class Policy, class Work>
__global__ void __launch_bounds__(search_threads, search_blocks_together)
    search_kernel(__grid_constant__ Work const work, __grid_constant__ Policy const policy) {
  using Real = typename Work::Real;
  using Passes = SearchPasses<Work>;
  using Leader = SearchLeader<Policy, Work>;
  __shared__ typename Passes::Memory memory;
  __shared__ alignas(16) unsigned char leader_bytes[sizeof(typename Leader::Memory)];
  __shared__ alignas(16) unsigned char command_bytes[sizeof(SearchCommand<Real>)];
  __shared__ StepPlaces<Real> places;
  __shared__ alignas(16) unsigned char key_bytes[sizeof(SelectionKey)];
  auto& command = reinterpret_cast<SearchCommand<Real>&>(command_bytes);
  auto& key = reinterpret_cast<SelectionKey&>(key_bytes);

  SearchBlock const block;
  block.each([&](unsigned thread) {
    for (std::size_t i = thread; i < SparsifyLayout::bins; i += search_threads) memory.counters[i] = 0;
    if (thread == 0) {  // before the first block moves the state on
      places = StepPlaces<Real>::of(work);
      key = work.key(*work.state);
    }
  });
  Passes const passes(work, places, key, memory, blockIdx.x, gridDim.x);
  Leader const leader(work, policy, reinterpret_cast<typename Leader::Memory&>(leader_bytes));
  SearchMeeting<Real> meet(work.header());
  for (SearchPhase phase = SearchPhase::begin;; phase = command.phase) {
    meet([&] { leader.decide(block, phase); });
    block.once([&] { command = work.header().command; });
    if (command.phase == SearchPhase::end) return;
    passes.run(block, command);
    if (command.is_last != 0) return;
  }
}

template <class Work>
__global__ void __launch_bounds__(search_threads, search_blocks_together)
    shared_count_kernel(__grid_constant__ Work const work) {
  __shared__ typename SharedCount<Work>::Memory memory;
  SharedCount<Work>(work, memory, blockIdx.x, gridDim.x).run(SearchBlock{});
}

/// A warp for each unit, as far as so many blocks go.
inline unsigned blocks_for(SparsifyLayout const& layout, unsigned most) {
  std::size_t const wanted = (layout.units + search_warps - 1) / search_warps;
  return wanted == 0 ? 1u : wanted < most ? static_cast<unsigned>(wanted) : most;
}

/// Enqueues a pass that counts for a search that ranks share.
template <class Work>
void launch_shared_count(CudaExecutor const& executor, Work const& work, unsigned multiprocessors) {
  unsigned const blocks = blocks_for(work.layout, multiprocessors * search_blocks_together);
  DeviceGuard const guard(executor.device());
  shared_count_kernel<<<blocks, search_threads, 0, executor.stream()>>>(work);
  check_cuda(cudaPeekAtLastError(), "launch of sparsify");
}

/// Enqueues what comes before the search.
template <bool Moments, class Element, class Real, class Index>
void launch_first_pass(CudaExecutor const& executor, DeviceWork<Real, Index> const& work,
                       DeviceTerms<Element, Real> const& terms, bool is_aligned, unsigned multiprocessors) {
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  prepare_kernel<Element><<<1, search_threads, 0, stream>>>(work, terms);
  check_cuda(cudaPeekAtLastError(), "launch of sparsify");
  if (work.part == SparsifyPart::select) return;
  // The kernel of a sum has its blocks at once, so that none begins when the others are almost done.
  unsigned const blocks = blocks_for(work.layout, multiprocessors * first_blocks_together);
  if (is_aligned) {
    first_pass_kernel<full_width<Element>, Moments><<<blocks, search_threads, 0, stream>>>(work, terms);
  } else {
    first_pass_kernel<1, Moments><<<blocks, search_threads, 0, stream>>>(work, terms);
  }
  check_cuda(cudaPeekAtLastError(), "launch of sparsify");
}

/// Enqueues the search: one kernel, whose blocks wait for each other, so that they have to be there together.
template <class Policy, class Real, class Index>
void launch_search(CudaExecutor const& executor, DeviceWork<Real, Index> const& work, Policy const& policy,
                   unsigned multiprocessors) {
  using Work = DeviceWork<Real, Index>;
  cudaLaunchAttribute together = {};
  together.id = cudaLaunchAttributeCooperative;
  together.val.cooperative = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(blocks_for(work.layout, multiprocessors * search_blocks_together));
  config.blockDim = dim3(search_threads);
  config.stream = executor.stream();
  config.attrs = &together;
  config.numAttrs = 1;
  DeviceGuard const guard(executor.device());
  check_cuda(cudaLaunchKernelEx(&config, search_kernel<Policy, Work>, work, policy), "launch of sparsify");
}

}  // namespace detail
}  // namespace weir::inline v1
