// expect: satisfaction of 'Feeds<.* = weir::v1::GradAccumulator.* = weir::v1::AllReduce
// expect: because 'Feeds<weir::GradAccumulator<>, weir::AllReduce
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"

auto recipe() {
#ifdef WEIR_FAIL_CONTROL
  return weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::AllReduce{weir::SelfCommunicator{}};
#else
  return weir::GradAccumulator{2} | weir::AllReduce{weir::SelfCommunicator{}} | weir::LocalAggregator{};
#endif
}
