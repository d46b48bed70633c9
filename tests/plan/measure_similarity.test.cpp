#include "weir/plan/measure_similarity.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "fault/counting_resource.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/plan/worker_memory.hpp"
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

/// Of the means of the even and of the odd micro-batches, whose gradients are linear in them.
double cosine(double even, double odd) {
  auto const product = [](double x, double y) { return 5 * x * y + (1 - x) * (1 - y); };
  return product(even, odd) / std::sqrt(product(even, even) * product(odd, odd));
}

}

TEST_CASE("the halves of a step are those of its even and odd micro-batches, on all ranks") {
  // Rank 0: two workers of one micro-batch; rank 1: one worker of four. Micro-batches of two samples.
  std::vector<float> const samples = {1, 2, 5, 0, 3, 1, 2, 2, -1, 4, 0, 1};
  weir::WorkLayout const layouts[] = {{2, 1, 2}, {1, 4, 2}};
  std::vector<std::optional<double>> found(2);
  on_ranks(2, [&](auto const& communicator) {
    weir::HostExecutor const executor;
    std::vector<float> weights(3);
    weir::StreamWorkerPool workers{executor,
                                   {.buckets = weir::BucketPlan::by_bytes({8, 4}, 1, 1), .local_batch = 2}};
    weir::MeasureSimilarity const halves{communicator, 2};
    auto sync = (halves | weir::GradAccumulator{1} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
                 weir::Sgd{{.learning_rate = 0}})
                    .on(workers, weir::view(weights));
    auto& stage = sync.template stage<std::remove_const_t<decltype(halves)>>();
    sync.resize(layouts[communicator.rank()]);
    Model const model;
    CHECK_FALSE(stage.similarity());
    for (int step = 0; step < 2; ++step) {  // the second one is not measured
      sync(workers(std::span<float const>(samples), model));
      sync.wait();
      auto const similarity = stage.similarity();
      CHECK(similarity.has_value() == (step == 0));
      if (similarity) found[communicator.rank()] = similarity;
    }
  });
  double const even = (1.5 + 2.0 + 1.5) / 3;
  double const odd = (2.5 + 2.0 + 0.5) / 3;
  REQUIRE(found[0]);
  CHECK(*found[0] == doctest::Approx(cosine(even, odd)).epsilon(1e-6));
  CHECK(found[0] == found[1]);
}

TEST_CASE("a single micro-batch has no other half") {
  weir::HostExecutor const executor;
  std::vector<float> weights(3);
  weir::StreamWorkerPool workers{executor, {.buckets = weir::BucketPlan::by_bytes({8, 4}), .local_batch = 2}};
  on_ranks(1, [&](auto const& communicator) {
    weir::MeasureSimilarity const halves{communicator, 1};
    auto sync = (halves | weir::LocalAggregator{} | weir::Sgd{{}}).on(workers, weir::view(weights));
    Model const model;
    std::vector<float> const samples = {1, 2};
    sync(workers(std::span<float const>(samples), model));
    sync.wait();
    CHECK_FALSE(sync.template stage<std::remove_const_t<decltype(halves)>>().similarity());
    CHECK_THROWS_AS((weir::MeasureSimilarity{communicator, 0}), weir::ContractViolation);
  });
}

TEST_CASE("both sums of each worker are kept: what is taken is what is said, and what WorkerMemory counts") {
  auto const plan = weir::BucketPlan::by_bytes({4004, 12, 100}, 64, 64);
  weir::MeasureSimilarity const halves{weir::SelfCommunicator{}};
  auto const recipe = halves | weir::LocalAggregator{} | weir::Sgd{{}};
  for (std::size_t const workers : {1u, 4u}) {
    CountingResource memory;
    weir::HostExecutor const executor{{.memory = &memory}};
    weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = plan}};
    std::vector<float> weights(plan.elements());
    auto const sync = recipe.on(pool, weir::view(weights));
    weir::WorkLayout const layout{.workers = workers};
    CHECK(memory.bytes() == workers * plan.gradient_bytes() + recipe.workspace_bytes(plan, layout));
    weir::WorkerMemory of_worker{.weights = plan.elements() * sizeof(float)};
    std::size_t const without = of_worker.bytes(workers);
    of_worker.similarity = true;
    CHECK(halves.workspace_bytes<float>(plan, layout) == of_worker.bytes(workers) - without);
  }
}
