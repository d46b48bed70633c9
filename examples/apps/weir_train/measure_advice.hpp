#pragma once

#include <algorithm>
#include <cstddef>

#include "advice.hpp"
#include "weir/compress/break_even.hpp"
#include "weir/compress/measure_compression.hpp"
#include "weir/compress/measure_link.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir_train {

/// For all ranks together. `policy`: what selects.
template <class Executor, class Communicator, class Policy>
Advice measure_advice(Executor const& executor, Communicator const& communicator,
                      weir::BucketPlan const& plan, double density, Policy const& policy) {
  constexpr std::size_t least = std::size_t{64} << 10;
  constexpr std::size_t most = std::size_t{4} << 20;
  std::size_t const elements = std::max<std::size_t>(1, plan.elements() / plan.size());
  weir::Link const link = weir::measure_link(
      executor, communicator,
      {.bytes = std::clamp(elements * sizeof(float), least, most), .warmup = 1, .repetitions = 5});
  weir::CompressionTime const time = weir::measure_compression(
      executor,
      {.elements = elements, .density = density, .ranks = communicator.size(), .warmup = 1, .repetitions = 5},
      policy);
  weir::BreakEven const question =
      weir::break_even({.ranks = communicator.size(), .elements = elements, .link = link, .time = time});
  double const buckets = static_cast<double>(plan.size());
  return {communicator.size(), buckets * question.seconds(weir::SparseMethod::dense_ring, density),
          buckets * question.seconds(weir::SparseMethod::all_gather, density),
          question.density(weir::SparseMethod::all_gather)};
}

}  // namespace weir_train
