#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "weir/compress/cost_table.hpp"
#include "weir/compress/median_time.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/core/error.hpp"
#include "weir/core/random.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/span_sink.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/sparsifying_backend.hpp"
#include "weir/exec/threshold_policy.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

struct MeasureCompressionOptions {
  std::size_t elements = std::size_t{1} << 22;  // of the bucket
  double density = 0.01;
  std::size_t ranks = 8;  // whose pairs are added up
  std::size_t warmup = 2;
  std::size_t repetitions = 9;
};

/// Times what compressing a bucket costs besides the messages: a sparsification with error feedback by this
/// policy, and adding up as many pairs from each rank. Units: seconds, medians.
///
/// Blocks. Cost: `repetitions + warmup` of both; memory for five buckets. Errors: `ContractViolation` for no
/// elements, no repetition, or a density not above 0 or above 1; `OutOfMemory`.
template <TransferringBackend E, ThresholdPolicy Policy = Histogram>
requires SparsifyingBackend<E, Policy> && ScatteringBackend<E> && CopyingBackend<E, float> &&
    ScalarBackend<E, InitialiseThreshold>
        CompressionTime measure_compression(E const& executor, MeasureCompressionOptions const& options = {},
                                            Policy const& policy = {}) {
  if (options.elements == 0 || options.repetitions == 0)
    throw ContractViolation("measure_compression: no elements, or no repetition; at least 1 would be right");
  if (!(options.density > 0.0 && options.density <= 1.0))
    throw ContractViolation("measure_compression: a density that is not above 0, or above 1");
  using Space = typename E::memory_space;
  std::size_t const size = options.elements;
  std::size_t const room = 2 * static_cast<std::size_t>(slots_of(options.density, size));
  std::size_t const side = (size + 3) / 4 * 4;  // both sides begin at a multiple of 16 bytes
  Buffer<float, E> const gradient(executor, size), residual(executor, 2 * side), dense(executor, size),
      values(executor, room);
  Buffer<std::uint32_t, E> const indices(executor, room);
  Buffer<SelectionCounts, E> const counts(executor, 1);
  Buffer<ThresholdState, E> const state(executor, 1);
  Buffer<std::byte, E> const scratch(executor,
                                     sparsify_scratch_bytes<float>(executor, size, options.density));
  std::vector<float> normal(size);
  RandomStream const random{.seed = 1};
  for (std::size_t i = 0; i < size; ++i) normal[i] = random.normal(i);
  from_host(executor, std::span<float const>(normal), gradient.view());
  set_zero(executor, residual.view());
  apply_scalars(executor, InitialiseThreshold{state.data(), options.density});

  WeightedTerm<float, Space> const term{gradient.view(), 1.0};
  SparsifyWork<float, float, Space> work;
  work.terms = {&term, 1};
  work.residual = {residual.data(), residual.data() + side, size, &state.data()->side};
  work.state = state.data();
  work.out = {counts.data(), indices.view(), values.view()};
  work.scratch = scratch.view();
  auto const median = [&](auto const& run) {
    std::int64_t const nanoseconds = detail::median_time(options.warmup, options.repetitions, [&] {
      executor.synchronize();
      std::int64_t const begin = now();
      run();
      executor.synchronize();
      return now() - begin;
    });
    return static_cast<double>(nanoseconds) * 1e-9;
  };
  CompressionTime time;
  time.compress = median([&] { sparsify(executor, std::as_const(work), policy); });
  time.decompress = median([&] {
    set_zero(executor, dense.view());
    for (std::size_t rank = 0; rank < options.ranks; ++rank)
      scatter_add(executor, indices.view(), values.view(), &counts.data()->count, dense.view());
  });
  return time;
}

}  // namespace weir::inline v1
