#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/update_pass.cuh"
#include "weir/exec/update_arguments.hpp"
#include "weir/exec/weighted_term.hpp"

namespace weir::inline v1 {
namespace detail {

/// Blocks of an update that a multiprocessor is to have at once: what the registers of their loads allow.
template <class Real, int Terms>
constexpr int update_blocks() {
  if (sizeof(Real) == sizeof(double) || Terms > 5) return 2;
  return Terms > 4 ? 3 : 4;
}

template <class Rule, class Element, int Terms>
__global__ void __launch_bounds__(tile_threads, update_blocks<typename Rule::Real, Terms>())
    update_kernel(__grid_constant__ UpdateWork<Rule, Element, Terms> const work) {
  __shared__ typename UpdateWork<Rule, Element, Terms>::Step step;
  auto const chunk = work.chunk(blockIdx.x);  // on its way while the step is worked out
  if (threadIdx.x == 0) step = work.step();
  __syncthreads();
  work.run(chunk, step, threadIdx.x, tile_threads);
}

template <class Rule, class Element, int Terms>
void launch_update(CudaExecutor const& executor, std::size_t chunks,
                   UpdateWork<Rule, Element, Terms> const& work) {
  if (chunks == 0) return;
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  update_kernel<Rule, Element, Terms><<<static_cast<unsigned>(chunks), tile_threads, 0, stream>>>(work);
  check_cuda(cudaPeekAtLastError(), "launch of an update");
}

/// One row of weights.
template <class Rule>
void update_one(CudaExecutor const& executor, UpdateWork<Rule, typename Rule::Real, 1> work) {
  using Real = typename Rule::Real;
  constexpr std::size_t width = UpdateBlock<Rule, Real, 1>::width;
  work.lead =
      static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(work.whole.out) / sizeof(Real) % width);
  launch_update(executor, work.own_chunks(), work);
}

template <int Terms, class Rule, class Element>
void update_pieces(CudaExecutor const& executor, std::size_t chunks,
                   UpdateWork<Rule, Element, 1> const& start,
                   std::span<WeightedTerm<Element, DeviceSpace> const> terms) {
  using Real = typename Rule::Real;
  if constexpr (Terms <= most_update_terms) {
    if (terms.size() != Terms) return update_pieces<Terms + 1>(executor, chunks, start, terms);
    UpdateWork<Rule, Element, Terms> work{};
    work.chunks = start.chunks;
    for (int m = 0; m < Rule::moments; ++m) work.moments[m] = start.moments[m];
    for (int t = 0; t < Terms; ++t) {
      work.terms[t] = terms[t].values.data();
      work.term_weights[t] = static_cast<Real>(terms[t].weight);
    }
    work.constants = start.constants;
    work.state = start.state;
    work.scale = start.scale;
    work.used = start.used;
    work.copies = start.copies;
    work.shift = start.shift;
    launch_update(executor, chunks, work);
  }
}

/// What the updates of many tensors check.
template <class Element, class Real>
void check_pieces(Arguments const& arguments, UpdateList<Real> const& list,
                  std::span<WeightedTerm<Element, DeviceSpace> const> terms, OptimizerState const* state) {
  arguments.not_null("state", state);
  if (terms.empty() || terms.size() > most_update_terms) {
    arguments.refuse("there are " + std::to_string(terms.size()) + " terms, 1 to " +
                     std::to_string(most_update_terms) + " can be summed on the way");
  }
  for (auto const& term : terms)
    arguments.same_size("a term", term.values.size(), "the bucket", list.elements);
  if (list.copies.by_parameter == nullptr) return;
  bool const narrow = list.copies.type == ElementType::float16 || list.copies.type == ElementType::bfloat16;
  if (!std::is_same_v<Real, float> || !narrow)
    arguments.refuse("only float weights are copied on the way, to float16 or bfloat16");
}

}  // namespace detail
}  // namespace weir::inline v1
