#pragma once

#include <cstdint>
#include <string>

#include "sparsification.hpp"
#include "weir/compress/threshold/deferred.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/tail_statistics.hpp"
#include "weir/exec/threshold_adaptation.hpp"
#include "weir/host/executor.hpp"
#include "weir/host/sparsify.hpp"

// What the library does for buckets that are sent whole is compiled in that file too.
extern template void weir::sparsify(weir::HostExecutor const&,
                                    weir::SparsifyWork<weir::half, float, weir::HostSpace> const&,
                                    weir::Deferred const&);
extern template void weir::sparsify(weir::HostExecutor const&,
                                    weir::SparsifyWork<weir::bfloat16, float, weir::HostSpace> const&,
                                    weir::Deferred const&);
extern template void weir::sparsify(weir::HostExecutor const&,
                                    weir::SparsifyWork<float, float, weir::HostSpace> const&,
                                    weir::Deferred const&);

namespace weir_train {

/// A threshold policy that is chosen at run time, so that one type of recipe serves for all of them. The
/// library finds the function `sparsify` below, which does the work with the policy that is meant.
struct ChosenThreshold {
  static constexpr char const* name = "chosen";
  Estimator estimator = Estimator::histogram;

  // Only those that are fitted have these; by them this is a policy that may have stages.
  double fit(weir::TailStatistics const& tail, double ratio) const;
  double fit_excess(weir::TailStatistics const& excess, double ratio) const;
};

/// In a file of its own: the passes over the data take a while to compile.
void sparsify(weir::HostExecutor const& executor,
              weir::SparsifyWork<float, float, weir::HostSpace> const& work,
              ChosenThreshold const& threshold);

/// The models of this program compute gradients in float.
template <class Element>
void sparsify(weir::HostExecutor const&, weir::SparsifyWork<Element, float, weir::HostSpace> const&,
              ChosenThreshold const&) {
  throw weir::ContractViolation("ChosenThreshold: the gradients are not in float, as they have to be");
}

/// A number of stages that is chosen at run time.
struct ChosenStages {
  static constexpr std::uint32_t most = weir::most_stages;
  Sparsification sparsification = {};

  weir::StageConstants constants() const { return sparsification.stages; }
  std::string text() const {
    weir::StageConstants const stages = constants();
    return std::string(name_of(sparsification.estimator)) +
           (stages.count == weir::StageCount::adaptive ? ", adaptive stages"
                                                       : ", stages: " + std::to_string(stages.stages));
  }
};

}  // namespace weir_train
