#include "weir/gradient/non_finite.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "support/collect.hpp"
#include "support/ranks.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using weir::NonFinitePolicy;

/// All gradients are 1, but in step 1 worker 1 has two bad ones in parameter 0, which is bucket 1.
struct Model {
  template <class Micro>
  void operator()(Micro& micro) const {
    for (std::size_t p = 0; p < 2; ++p) {
      for (float& g : micro.gradient(p)) g = 1.0f;
    }
    if (micro.step() != 1 || micro.global_index() != 1) return;
    micro.gradient(0)[0] = std::numeric_limits<float>::infinity();
    micro.gradient(0)[2] = std::numeric_limits<float>::quiet_NaN();
  }
};

weir::BucketPlan plan() {
  return weir::BucketPlan::by_bytes({12, 8}, 1, 1);
}

}

TEST_CASE("a bucket with a NaN or an infinity is skipped, counted, or reported") {
  Model const model;
  for (auto policy : {NonFinitePolicy::skip, NonFinitePolicy::propagate, NonFinitePolicy::error}) {
    for (std::size_t workers : {2u, 3u}) {
      weir::HostExecutor const executor;
      std::vector<float> weights(5);
      weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = plan()}};
      std::vector<std::vector<float>> steps;
      auto sync = (weir::LocalAggregator{} | weir::NonFinite{policy} | Collect<float>{steps})
                      .on(pool, weir::view(weights));
      std::vector<int> const samples(workers);
      std::string text;
      for (int step = 0; step < 3; ++step) {
        try {
          sync(pool(std::span<int const>(samples), model));
          sync.wait();
        } catch (weir::NonFiniteGradient const& error) {
          text = error.what();
          break;
        }
      }
      CHECK(steps.at(0) == std::vector<float>(5, 1.0f));
      CHECK(sync.stage<weir::NonFinite>().seen(0) == 0);
      CHECK(sync.stage<weir::NonFinite>().seen(1) == 2);
      if (policy == NonFinitePolicy::error) {
        CHECK(text == "2 elements are NaN or infinite (rank 0, stage non-finite, bucket 1, step 1)");
        continue;
      }
      CHECK(text.empty());
      CHECK(steps.at(2) == std::vector<float>(5, 1.0f));
      CHECK(steps.at(1)[3] == 1.0f);
      CHECK(steps.at(1)[4] == 1.0f);
      if (policy == NonFinitePolicy::skip) CHECK(steps.at(1)[0] == 0.0f);
      if (policy == NonFinitePolicy::skip) CHECK(steps.at(1)[1] == 0.0f);
      if (policy == NonFinitePolicy::propagate) CHECK(std::isinf(steps.at(1)[0]));
      if (policy == NonFinitePolicy::propagate) CHECK(steps.at(1)[1] == 1.0f);
      if (policy == NonFinitePolicy::propagate) CHECK(std::isnan(steps.at(1)[2]));
    }
  }
}

TEST_CASE("a rank that skips contributes zero, and the divisor stays") {
  on_ranks(2, [](weir::ThreadCommunicator const& communicator) {
    Model const model;
    weir::HostExecutor const executor;
    std::vector<float> weights(5);
    weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = plan()}};
    std::vector<std::vector<float>> steps;
    auto sync =
        (weir::LocalAggregator{} | weir::NonFinite{} | weir::AllReduce{communicator} | Collect<float>{steps})
            .on(pool, weir::view(weights));
    int const samples[4] = {};
    for (int step = 0; step < 2; ++step) sync(pool(std::span<int const>(samples), model));
    sync.wait();
    CHECK(steps.at(1) == std::vector<float>{0.5f, 0.5f, 0.5f, 1.0f, 1.0f});
    CHECK(sync.stage<weir::NonFinite>().seen(1) == (communicator.rank() == 0 ? 2 : 0));
  });
}
