#include "weir/plan/measure_noise.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "fault/counting_resource.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

/// The mean over the samples of a micro-batch of (x, 2x) in one bucket and of 1 - x in another.
struct Model {
  template <class Micro>
  void operator()(Micro& micro) const {
    float mean = 0;
    for (float const x : micro.samples()) mean += x / static_cast<float>(micro.samples().size());
    float const values[] = {mean, 2 * mean, 1 - mean};
    for (std::size_t i = 0; i < 3; ++i) {
      float& gradient = micro.gradient(i / 2)[i % 2];
      float const scaled = micro.loss_scale() * values[i];
      gradient = micro.accumulate() ? gradient + scaled : scaled;
    }
  }
};

double square(double mean) {
  return 5 * mean * mean + (1 - mean) * (1 - mean);
}

}

TEST_CASE("the norms of all workers' gradients and of their mean are measured, on all ranks") {
  // Rank 0: two workers of one micro-batch; rank 1: one worker of three. Micro-batches of two samples.
  std::vector<float> const samples = {1, 2, 5, 0, 3, 1, 2, 2, -1, 4};
  double const of_workers = (square(1.5) + square(2.5) + square(11.0 / 6)) / 3;
  weir::WorkLayout const layouts[] = {{2, 1, 2}, {1, 3, 2}};
  std::vector<std::optional<weir::NoiseMeasurement>> found(2);
  on_ranks(2, [&](auto const& communicator) {
    weir::HostExecutor const executor;
    std::vector<float> weights(3);
    weir::StreamWorkerPool workers{executor,
                                   {.buckets = weir::BucketPlan::by_bytes({8, 4}, 1, 1), .local_batch = 2}};
    weir::MeasureNoise const noise{weir::AllReduce{communicator}, communicator, 2};
    auto sync = (weir::GradAccumulator{1} | weir::LocalAggregator{} | noise | weir::Sgd{{}})
                    .on(workers, weir::view(weights));
    auto const& stage = sync.template stage<std::remove_const_t<decltype(noise)>>();
    sync.resize(layouts[communicator.rank()]);
    Model const model;
    CHECK_FALSE(stage.measurement());
    sync(workers(std::span<float const>(samples), model));
    sync.wait();
    found[communicator.rank()] = stage.measurement();
    std::vector<float> const others(10, 1.0f);  // in a step that is not measured
    sync(workers(std::span<float const>(others), model));
    sync.wait();
    CHECK(stage.measurement()->square_of_mean == found[communicator.rank()]->square_of_mean);
  });
  for (auto const& measurement : found) {
    REQUIRE(measurement);
    CHECK(measurement->workers == 3);
    CHECK(measurement->global_batch == 10);
    CHECK(measurement->mean_inverse_batch == doctest::Approx((0.5 + 0.5 + 1.0 / 6) / 3));
    CHECK(measurement->mean_square == doctest::Approx(of_workers).epsilon(1e-6));
    CHECK(measurement->square_of_mean == doctest::Approx(square(1.9)).epsilon(1e-6));
  }
  CHECK(found[0]->mean_square == found[1]->mean_square);
}

TEST_CASE("a step that is not full is left out, and a resize forgets") {
  weir::HostExecutor const executor;
  std::vector<float> weights(3);
  weir::StreamWorkerPool workers{
      executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({8, 4}), .local_batch = 2}};
  on_ranks(1, [&](auto const& communicator) {
    weir::MeasureNoise const noise{weir::AllReduce{communicator}, communicator};
    auto sync = (weir::LocalAggregator{} | noise | weir::Sgd{{}}).on(workers, weir::view(weights));
    auto const& stage = sync.template stage<std::remove_const_t<decltype(noise)>>();
    Model const model;
    std::vector<float> const samples = {1, 2, 5, 0};
    sync(workers(std::span<float const>(samples).first(3), model));
    sync.wait();
    CHECK_FALSE(stage.measurement());
    sync(workers(std::span<float const>(samples), model));
    sync.wait();
    REQUIRE(stage.measurement());
    CHECK(stage.measurement()->mean_square == doctest::Approx((square(1.5) + square(2.5)) / 2));
    sync.resize({1, 1, 2});
    CHECK_FALSE(stage.measurement());
  });
  CHECK_THROWS_AS((weir::MeasureNoise{weir::LocalAggregator{}, 0, 0}), weir::ContractViolation);
}

TEST_CASE("a measurement of noise takes no gradient of its own, and what it says") {
  auto const plan = weir::BucketPlan::by_bytes({4004, 12, 100}, 64, 64);
  weir::AllReduce const sum{weir::SelfCommunicator{}};
  auto const recipe =
      weir::LocalAggregator{} | weir::MeasureNoise{sum, weir::SelfCommunicator{}} | weir::Sgd{{}};
  auto const without = weir::LocalAggregator{} | sum | weir::Sgd{{}};
  for (std::size_t const workers : {1u, 4u}) {
    CountingResource memory;
    weir::HostExecutor const executor{{.memory = &memory}};
    weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = plan}};
    std::vector<float> weights(plan.elements());
    auto const sync = recipe.on(pool, weir::view(weights));
    weir::WorkLayout const layout{.workers = workers};
    CHECK(memory.bytes() == workers * plan.gradient_bytes() + recipe.workspace_bytes(plan, layout));
    CHECK(recipe.workspace_bytes(plan, layout) - without.workspace_bytes(plan, layout) ==
          (workers + 1) * plan.size() * sizeof(weir::Measurement) + 2 * sizeof(double));
  }
}
