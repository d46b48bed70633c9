#include "weir/gradient/loss_scale.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "support/ranks.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

weir::BucketPlan half_plan() {
  return weir::BucketPlan::by_bytes({4, 2}, 1, 1, weir::ElementType::float16);
}

/// Gradients of 2^-20, which have no normal half: with the loss scale they have. `overflowing` is the step in
/// which worker 1 gets one that overflows.
struct Model {
  std::uint64_t overflowing = ~std::uint64_t{0};

  template <class Micro>
  void operator()(Micro& micro) const {
    float const scale = micro.loss_scale();
    for (std::size_t p = 0; p < 2; ++p) {
      for (auto& g : micro.template gradient<weir::half>(p)) g = weir::half(0x1.8p-22f * scale);
    }
    if (micro.step() == overflowing && micro.worker() == 1)
      micro.template gradient<weir::half>(1)[0] = weir::half(65536.0f * scale);
  }
};

}

TEST_CASE("gradients too small for half come through") {
  Model const model;
  weir::HostExecutor const executor;
  std::vector<float> weights(3);
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = half_plan()}};
  auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::LossScale{} |
               weir::Sgd{{.learning_rate = 1.0}})
                  .on(pool, weir::view(weights));
  int const samples[4] = {};
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(weights == std::vector<float>(3, -0x1.8p-22f));
  CHECK(sync.stage<weir::LossScale>().state().scale == 65536.0);
}

TEST_CASE("an overflow skips the step, halves the scale, and after the interval it grows again") {
  for (auto policy :
       {weir::WeightPolicy::shared, weir::WeightPolicy::sequential, weir::WeightPolicy::overlap}) {
    Model const model{.overflowing = 2};
    weir::HostExecutor const executor;
    std::vector<float> weights(3);
    weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = half_plan()}};
    weir::LossScale const scaling{{.initial = 4096.0, .interval = 3}};
    auto sync = (weir::LocalAggregator{} | scaling |
                 weir::WeightSync{policy, weir::Sgd{{.learning_rate = 1.0, .momentum = 0.5}}})
                    .on(pool, weir::view(weights));
    int const samples[2] = {};
    double const scales[] = {4096, 4096, 2048, 2048, 2048, 4096, 4096, 4096, 8192};
    float velocity = 0.0f, expected = 0.0f;
    for (std::size_t step = 0; step < 9; ++step) {
      sync(pool(std::span<int const>(samples), model));
      sync.wait();
      CAPTURE(step);
      CHECK(sync.stage<weir::LossScale>().state().scale == scales[step]);
      CHECK(sync.stage<weir::LossScale>().state().skipped_steps == (step < 2 ? 0 : 1));
      if (step != 2) {
        velocity = 0.5f * velocity + 0x1.8p-22f;
        expected -= velocity;
      }
      CHECK(weights == std::vector<float>(3, expected));
    }
    CHECK(sync.stage<weir::WeightSync<weir::Sgd>>().optimizer().state().step == 8);
  }
}

TEST_CASE("a skipped step changes neither the moments of AdamW nor its count") {
  auto const train = [](std::uint64_t overflowing, int steps) {
    Model const model{overflowing};
    weir::HostExecutor const executor;
    std::vector<float> weights(3, 1.0f);
    weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = half_plan()}};
    // No growth: all steps are scaled by powers of two, which change no bit.
    auto sync =
        (weir::LocalAggregator{} | weir::LossScale{{.initial = 4096.0}} | weir::AdamW{{.learning_rate = 0.1}})
            .on(pool, weir::view(weights));
    int const samples[2] = {};
    for (int step = 0; step < steps; ++step) sync(pool(std::span<int const>(samples), model));
    sync.wait();
    CHECK(sync.stage<weir::AdamW>().state().step == 5);
    return weights;
  };
  CHECK(train(3, 6) == train(99, 5));
}

TEST_CASE("all ranks skip a step in which one of them overflows") {
  on_ranks(2, [](weir::ThreadCommunicator const& communicator) {
    Model const model{.overflowing = communicator.rank() == 1 ? std::uint64_t{1} : 99};
    weir::HostExecutor const executor;
    std::vector<float> weights(3);
    weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = half_plan()}};
    auto sync = (weir::LocalAggregator{} | weir::AllReduce{communicator} |
                 weir::LossScale{{.initial = 4096.0}} | weir::Sgd{{.learning_rate = 1.0}})
                    .on(pool, weir::view(weights));
    int const samples[4] = {};
    for (int step = 0; step < 3; ++step) sync(pool(std::span<int const>(samples), model));
    sync.wait();
    CHECK(weights == std::vector<float>(3, -2 * 0x1.8p-22f));
    CHECK(sync.stage<weir::LossScale>().state().skipped_steps == 1);
    CHECK(sync.stage<weir::LossScale>().state().scale == 2048.0);
  });
}

TEST_CASE("the scale and its counts are part of a checkpoint") {
  Model const model{.overflowing = 0};
  weir::HostExecutor const executor;
  std::vector<float> weights(3);
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = half_plan()}};
  auto const recipe = weir::LocalAggregator{} | weir::LossScale{{.initial = 1024.0}} | weir::Sgd{{}};
  auto sync = recipe.on(pool, weir::view(weights));
  int const samples[2] = {};
  for (int step = 0; step < 3; ++step) sync(pool(std::span<int const>(samples), model));
  weir::Archive archive;
  sync.save(archive);

  weir::StreamWorkerPool other{executor, {.workers = 2, .buckets = half_plan()}};
  auto again = recipe.on(other, weir::view(weights));
  again.load(archive);
  auto const state = again.stage<weir::LossScale>().state();
  CHECK(state.scale == 512.0);
  CHECK(state.finite_steps == 2);
  CHECK(state.skipped_steps == 1);
}

TEST_CASE("A loss scale that can only be a mistake is refused, by name") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS((weir::LossScale{{.initial = 0.0}}),
                       "LossScale: initial is 0.000000, it has to be finite and above 0",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS((weir::LossScale{{.backoff = 2.0}}),
                       "LossScale: backoff is 2.000000, it has to be above 0 and at most 1",
                       weir::ContractViolation);
  for (double wrong : {0.0, -1.0, nan, infinity}) {
    CHECK_THROWS_AS((weir::LossScale{{.initial = wrong}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::LossScale{{.growth = wrong}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::LossScale{{.backoff = wrong}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::LossScale{{.least = wrong}}), weir::ContractViolation);
  }
  CHECK_THROWS_AS((weir::LossScale{{.growth = 0.5}}), weir::ContractViolation);
  CHECK_NOTHROW(weir::LossScale{{.initial = 0x1p-4, .growth = 1.0, .backoff = 1.0, .least = 0x1p-8}});
}
