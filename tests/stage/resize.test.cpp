#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <thread>
#include <vector>

#include "support/ranks.hpp"
#include "support/resize_case.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

/// Over two and three ranks on threads.
template <class Optimizer>
void check_ranks(Optimizer const& optimizer) {
  auto const stages = [&](weir::ThreadCommunicator const& communicator, std::vector<float>& kept) {
    return weir::AllReduce{communicator} | KeepGradient{kept} | optimizer;
  };
  for (std::size_t ranks : {2u, 3u}) {
    CAPTURE(ranks);
    on_ranks(ranks,
             [&](weir::ThreadCommunicator const& communicator) { resize_case::check(communicator, stages); });
  }
}

struct SlowModel {
  void operator()(auto& micro) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    for (float& value : micro.gradient(0)) value = 1;
  }
};

}  // namespace

TEST_CASE("ranks that are resized, or stay as they are, go on as fresh runs from the checkpoint do") {
  check_ranks(weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check_ranks(weir::AdamW{{.learning_rate = 0.01}});
  for (auto policy :
       {weir::WeightPolicy::shared, weir::WeightPolicy::sequential, weir::WeightPolicy::overlap})
    check_ranks(weir::WeightSync{policy, weir::AdamW{{.learning_rate = 0.01}}});
}

TEST_CASE("ranks that are resized go on knowing which parameters are used") {
  on_ranks(3, [](weir::ThreadCommunicator const& communicator) {
    resize_case::check(communicator, [](auto const& group, std::vector<float>& kept) {
      return weir::AllReduce{group} | weir::UsedParameters{group} | KeepGradient{kept} |
             weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
    });
  });
}

TEST_CASE("a change of workers and micro-batches takes less time than a step") {
  constexpr std::size_t elements = 1 << 18;
  std::vector<float> weights(elements);
  std::vector<int> const samples(20);
  weir::HostExecutor const executor;
  weir::StreamWorkerPool workers{
      executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({elements * sizeof(float)})}};
  auto sync = (weir::GradAccumulator{1} | weir::LocalAggregator{} | weir::Sgd{{.momentum = 0.9}})
                  .on(workers, weir::view(weights));
  SlowModel const model;
  auto const seconds = [](auto const& work) {
    auto const begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  auto const step = [&] {
    std::size_t const batch = sync.layout().workers * sync.layout().micro_batches;
    sync(workers(std::span<int const>(samples).first(batch), model));
    sync.wait();
  };
  // The best of a few: a machine that is busy with something else says nothing.
  double shortest_step = 1;
  double shortest_resize = 1;
  for (int round = 0; round < 5; ++round) {
    shortest_step = std::min(shortest_step, seconds(step));
    shortest_resize = std::min(shortest_resize, seconds([&] {
                                 sync.resize({5, 4, 1});
                                 sync.settle();
                               }));
    sync.resize({2, 1, 1});
  }
  CHECK(shortest_resize < shortest_step);
}

TEST_CASE("a resize that is refused on one rank is made good by one that is not") {
  on_ranks(2, [](weir::ThreadCommunicator const& communicator) {
    std::vector<float> kept;
    auto const stages =
        weir::AllReduce{communicator} | KeepGradient{kept} | weir::Sgd{{.learning_rate = 0.1}};
    RankRun run({2, 1, 3}, stages);
    run.train(1);
    if (communicator.rank() == 1) CHECK_THROWS_AS(run.sync.resize({0, 1, 3}), weir::ContractViolation);
    run.sync.resize({3, 1, 3});
    auto const weights = run.weights;
    auto const batch = run.next_batch();
    CHECK(run.sync.ranks().total_micro_batches() == 6);
    run.train(1);
    CHECK(network::relative_error(weights, batch, 3, kept) <= 1e-6);
  });
}
