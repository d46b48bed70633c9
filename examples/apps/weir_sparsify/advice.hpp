#pragma once

#include <cstddef>

#include "bucket.hpp"
#include "options.hpp"
#include "weir/compress/break_even.hpp"

namespace weir_sparsify {

/// Whether sending what a step has selected pays over a network, by the cost table of the library.
struct Advice {
  Network network = {};
  weir::SparseMethod method = weir::SparseMethod::all_gather;  // the cheapest that is exact
  double seconds_dense = 0.0;                                  // of a ring
  double seconds_sparse = 0.0;                                 // with selecting and adding up
  double density = 0.0;                                        // up to which it pays
  double bandwidth = 0.0;  // bytes per second up to which it pays at the density of the step
};

/// For the step that this is the report of. Adds up pairs to see how long that takes.
inline Advice make_advice(Network const& network, StepReport const& step, Bucket& bucket) {
  double const elements = static_cast<double>(step.statistics.size);
  double const selected = static_cast<double>(step.statistics.k_selected);
  auto const bytes_of = [](char const* descr) { return static_cast<std::size_t>(descr[2] - '0'); };
  weir::CompressionTime const time{step.cost.seconds_estimate + step.cost.seconds_select,
                                   bucket.seconds_to_add_up(network.ranks)};
  weir::BreakEven const question = weir::break_even({.ranks = network.ranks,
                                                     .elements = step.statistics.size,
                                                     .value_bytes = bytes_of(bucket.values().descr),
                                                     .index_bytes = bytes_of(bucket.indices().descr),
                                                     .link = network.link,
                                                     .time = time});
  Advice advice{.network = network};
  double const density = elements > 0.0 ? selected / elements : 0.0;
  advice.seconds_dense = question.seconds(weir::SparseMethod::dense_ring, density);
  advice.seconds_sparse = question.seconds(advice.method, density);
  for (auto const method : {weir::SparseMethod::recursive_doubling, weir::SparseMethod::split}) {
    double const seconds = question.seconds(method, density);
    if (seconds < advice.seconds_sparse) {
      advice.seconds_sparse = seconds;
      advice.method = method;
    }
  }
  advice.density = question.density(advice.method);
  advice.bandwidth = question.bandwidth(advice.method, density);
  return advice;
}

}  // namespace weir_sparsify
