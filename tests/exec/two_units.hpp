#pragma once

#include <vector>

#include "fault/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"

/// What a translation unit believes of the host backend. A concept keeps the answer that it gave first, so
/// two units disagree if one asked before all verbs had been declared. `Unit` is a type of that unit alone,
/// or the linker would make one function of both.
template <class Executor, class Unit>
struct Beliefs {
  static std::vector<bool> all() {
    using namespace weir;
    return {weir::Executor<Executor>,
            HostOrderedExecutor<Executor>,
            CopyingBackend<Executor, float>,
            CopyingBackend<Executor, double>,
            SummingBackend<Executor, float, float>,
            SummingBackend<Executor, half, float>,
            SummingBackend<Executor, bfloat16, float>,
            SummingBackend<Executor, double, double>,
            MeasuringBackend<Executor, float>,
            MeasuringBackend<Executor, double>,
            ScalarBackend<Executor>,
            UpdatingBackend<Executor, float>,
            UpdatingBackend<Executor, double>,
            TransferringBackend<Executor>,
            ReducingCommunicator<SelfCommunicator, Executor, float>,
            GatheringCommunicator<SelfCommunicator, Executor, std::uint64_t>,
            ReducingCommunicator<ThreadCommunicator, Executor, float>,
            GatheringCommunicator<ThreadCommunicator, Executor, std::uint64_t>,
            StageOn<LocalAggregator<>, Executor>,
            StageOn<AllReduce<SelfCommunicator>, Executor>,
            StageOn<Clip, Executor, double>,
            StageOn<Sgd, Executor>};
  }
};

std::vector<bool> beliefs_of_the_other_unit();
std::vector<float> train_in_the_other_unit(weir::HostExecutor const& executor);

/// A recipe that either unit can bind: the templates that both instantiate are one after linking.
inline std::vector<float> train_two_steps(weir::HostExecutor const& executor) {
  auto const plan = weir::BucketPlan::per_parameter({{.elements = 7}, {.elements = 70}});
  weir::StreamWorkerPool workers{executor, {.workers = 2, .buckets = plan}};
  auto weights = small_integers(77);
  auto sync = (weir::LocalAggregator{} | weir::Clip{{.max_norm = 1.0}} | weir::Sgd{{.learning_rate = 0.1}})
                  .on(workers, weir::view(weights));
  TestModel<> const model{2};
  auto const samples = small_integers(2);
  for (int step = 0; step < 2; ++step) sync(workers(std::span(samples), model));
  sync.wait();
  return weights;
}
