#include "weir/gradient/used_parameters.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "support/bits.hpp"
#include "support/collect.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using Weights = std::vector<float>;

/// Three parameters in two buckets; 0 and 1 share one.
weir::BucketPlan plan() {
  return weir::BucketPlan(
      {{2, weir::ElementType::float32}, {3, weir::ElementType::float32}, {2, weir::ElementType::float32}},
      {{2}, {0, 1}});
}

/// Trains a pool of two workers. In step s the parameters named by `used[s]` are used, each by one
/// micro-batch.
template <class Optimizer>
Weights train(Optimizer const& optimizer, std::vector<std::string> const& used) {
  auto const model = [&](auto& micro) {
    for (std::size_t p = 0; p < 3; ++p) {
      std::string const& now = used[micro.step()];
      if (now.find(static_cast<char>('0' + p)) == std::string::npos || micro.global_index() != p) continue;
      for (float& g : micro.gradient(p))
        g = (micro.accumulate() ? g : 0.0f) + static_cast<float>(micro.step() + p + 1);
    }
  };
  weir::HostExecutor const executor;
  Weights weights = {1, 2, 3, 4, 5, 6, 7};
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = plan()}};
  auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} |
               weir::UsedParameters{weir::SelfCommunicator{}} | optimizer)
                  .on(pool, weir::view(weights));
  int const samples[4] = {};
  for (std::size_t step = 0; step < used.size(); ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  return weights;
}

/// Each of `ranks` times 2 workers with 2 micro-batches in turn is the only one to use parameter 1: the
/// gradient that is applied is `share(g)` of its g, and there is none of parameter 2.
template <class Share>
void check_single_users(std::size_t ranks, Share const& share) {
  constexpr std::size_t workers = 2, micro_batches = 2;
  std::size_t const total = ranks * workers * micro_batches;
  auto const value = [](std::size_t i) { return 0.1f * static_cast<float>(i + 1); };
  for (std::size_t user = 0; user < total; ++user) {
    on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
      auto const model = [&](auto& micro) {
        for (float& g : micro.gradient(0)) g = micro.accumulate() ? g : 0.0f;
        if (micro.global_index() != user) return;
        auto const gradient = micro.gradient(1);
        for (std::size_t i = 0; i < 3; ++i)
          gradient[i] = (micro.accumulate() ? gradient[i] : 0.0f) + value(i);
      };
      weir::HostExecutor const executor;
      Weights weights(7);
      weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = plan()}};
      std::vector<Weights> found;
      auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} |
                   weir::AllReduce{communicator} | weir::UsedParameters{communicator} | Collect<float>{found})
                      .on(pool, weir::view(weights));
      std::vector<int> const samples(total);
      sync(pool(std::span<int const>(samples), model));
      sync.wait();
      Weights expected(7);
      for (std::size_t i = 0; i < 3; ++i) expected[2 + i] = share(value(i));
      CHECK(found.at(0) == expected);
      auto const& used = sync.stage<weir::UsedParameters<weir::ThreadCommunicator>>();
      CHECK(used.used(0));
      CHECK(used.used(1));
      CHECK_FALSE(used.used(2));
    });
  }
}

}

TEST_CASE("a parameter used by one worker of one rank only gets exactly its gradient over N") {
  check_single_users(1, [](float g) { return g / 4; });
  check_single_users(2, [](float g) { return g / 8; });
  // 1 / N is rounded where N is no power of two: two roundings, at most 1.5 units in the last place.
  check_single_users(3, [](float g) {
    float const found = g * static_cast<float>(1.0 / 12.0);
    CHECK(std::abs(static_cast<double>(found) - static_cast<double>(g) / 12) <=
          1.5 * static_cast<double>(std::nextafter(found, 1.0f) - found));
    return found;
  });
}

TEST_CASE("what was used nowhere keeps its bits, under momentum and weight decay, also afterwards") {
  weir::Sgd const sgd{{.learning_rate = 0.125, .momentum = 0.9, .nesterov = true, .weight_decay = 0.25}};
  auto const run = train(sgd, {"012", "02", "2", "012"});
  // Parameter 1 as if the two steps in the middle had not been.
  auto const without = [&] {
    Weights w = {3, 4, 5};
    Weights v(3);
    for (int step : {0, 3}) {
      for (std::size_t i = 0; i < 3; ++i) {
        float const g = 0.25f * w[i] + static_cast<float>(step + 2) * 0.25f;
        v[i] = 0.9f * v[i] + g;
        w[i] -= 0.125f * (0.9f * v[i] + g);
      }
    }
    return w;
  }();
  CHECK(Weights(run.begin() + 2, run.begin() + 5) == without);
}

TEST_CASE("what is used by no rank in any step is bit-unchanged") {
  auto const check = [](auto const& optimizer) {
    auto const weights = train(optimizer, {"0", "02", "0", "0"});
    CHECK(same_bits(Weights(weights.begin() + 2, weights.begin() + 5), Weights{3, 4, 5}));
    CHECK(weights[0] != 1);
    CHECK(weights[5] != 6);
  };
  weir::Sgd const sgd{{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.5}};
  weir::AdamW const adamw{{.learning_rate = 0.1, .weight_decay = 0.5}};
  check(sgd);
  check(adamw);
  for (auto policy :
       {weir::WeightPolicy::shared, weir::WeightPolicy::sequential, weir::WeightPolicy::overlap}) {
    check(weir::WeightSync{policy, sgd});
    check(weir::WeightSync{policy, adamw});
  }
}

TEST_CASE("without the stage an unused parameter decays") {
  weir::HostExecutor const executor;
  Weights weights(7, 1.0f);
  weir::StreamWorkerPool pool{executor, {.buckets = plan()}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.5, .weight_decay = 0.5}})
                  .on(pool, weir::view(weights));
  auto const model = [](auto&) {};
  int const samples[1] = {};
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(weights == Weights(7, 0.75f));
}
