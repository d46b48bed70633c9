#pragma once

#include <doctest/doctest.h>

#include "../../examples/apps/weir_train/chosen_threshold.hpp"
#include "support/cuda/sparsify.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/host/executor.hpp"

// What weir-train compiles for every estimator, on the stand-in for two of them, which do here. For one unit
// of a program.

template void weir::sparsify(weir::HostExecutor const&,
                             weir::SparsifyWork<weir::half, float, weir::HostSpace> const&,
                             weir::Deferred const&);
template void weir::sparsify(weir::HostExecutor const&,
                             weir::SparsifyWork<weir::bfloat16, float, weir::HostSpace> const&,
                             weir::Deferred const&);
template void weir::sparsify(weir::HostExecutor const&,
                             weir::SparsifyWork<float, float, weir::HostSpace> const&, weir::Deferred const&);

namespace weir_train {

// In the place of the program's, which are compiled for every estimator: two of them do here.

double ChosenThreshold::fit(weir::TailStatistics const& tail, double ratio) const {
  return weir::GeneralizedPareto{}.fit(tail, ratio);
}
double ChosenThreshold::fit_excess(weir::TailStatistics const& excess, double ratio) const {
  return weir::GeneralizedPareto{}.fit_excess(excess, ratio);
}

template <class Executor, class Work>
void sparsify_by_one_of_two(Executor const& executor, Work const& work, ChosenThreshold const& threshold) {
  if (threshold.estimator == Estimator::generalized_pareto)
    return weir::sparsify(executor, work, weir::GeneralizedPareto{});
  REQUIRE(threshold.estimator == Estimator::histogram);
  weir::sparsify(executor, work, weir::Histogram{});
}

void sparsify(weir::HostExecutor const& executor,
              weir::SparsifyWork<float, float, weir::HostSpace> const& work,
              ChosenThreshold const& threshold) {
  sparsify_by_one_of_two(executor, work, threshold);
}

void sparsify(weir::CudaExecutor const& executor,
              weir::SparsifyWork<float, float, weir::DeviceSpace> const& work,
              ChosenThreshold const& threshold) {
  sparsify_by_one_of_two(executor, work, threshold);
}

}  // namespace weir_train
