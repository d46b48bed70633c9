#include "chosen_threshold.hpp"

template void weir::sparsify(weir::HostExecutor const&,
                             weir::SparsifyWork<weir::half, float, weir::HostSpace> const&,
                             weir::Deferred const&);
template void weir::sparsify(weir::HostExecutor const&,
                             weir::SparsifyWork<weir::bfloat16, float, weir::HostSpace> const&,
                             weir::Deferred const&);
template void weir::sparsify(weir::HostExecutor const&,
                             weir::SparsifyWork<float, float, weir::HostSpace> const&, weir::Deferred const&);

namespace weir_train {
namespace {

/// Calls `f` with the policy, if it is one that is fitted.
template <class Function>
double fitted(Estimator estimator, Function const& f) {
  double threshold = 0.0;
  weir_sparsify::with_policy(estimator, [&]<class Policy>(Policy const& policy) {
    if constexpr (weir::StagedThreshold<Policy>) threshold = f(policy);
  });
  return threshold;
}

}  // namespace

double ChosenThreshold::fit(weir::TailStatistics const& tail, double ratio) const {
  return fitted(estimator, [&](auto const& policy) { return policy.fit(tail, ratio); });
}

double ChosenThreshold::fit_excess(weir::TailStatistics const& excess, double ratio) const {
  return fitted(estimator, [&](auto const& policy) { return policy.fit_excess(excess, ratio); });
}

void sparsify(weir::HostExecutor const& executor,
              weir::SparsifyWork<float, float, weir::HostSpace> const& work,
              ChosenThreshold const& threshold) {
  weir_sparsify::with_policy(threshold.estimator,
                             [&](auto const& policy) { weir::sparsify(executor, work, policy); });
}

}  // namespace weir_train
