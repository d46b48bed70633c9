#include "weir/plan/measure_similarity.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "fault/counting_resource.hpp"
#include "support/bits.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
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
    weir::MeasureSimilarity const similarity{weir::AllReduce{communicator}, communicator, 2};
    auto sync = (weir::HalfSum{} | weir::GradAccumulator{1} | weir::LocalAggregator{} | similarity |
                 weir::Sgd{{.learning_rate = 0}})
                    .on(workers, weir::view(weights));
    auto& stage = sync.template stage<std::remove_const_t<decltype(similarity)>>();
    sync.resize(layouts[communicator.rank()]);
    Model const model;
    CHECK_FALSE(stage.similarity());
    for (int step = 0; step < 2; ++step) {  // the second one is not measured
      sync(workers(std::span<float const>(samples), model));
      sync.wait();
      auto const cosine = stage.similarity();
      CHECK(cosine.has_value() == (step == 0));
      if (cosine) found[communicator.rank()] = cosine;
      CHECK_FALSE(stage.similarity());  // told already
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
    weir::MeasureSimilarity const similarity{weir::AllReduce{communicator}, communicator, 1};
    auto sync = (weir::HalfSum{} | weir::LocalAggregator{} | similarity | weir::Sgd{{}})
                    .on(workers, weir::view(weights));
    Model const model;
    std::vector<float> const samples = {1, 2};
    sync(workers(std::span<float const>(samples), model));
    sync.wait();
    CHECK_FALSE(sync.template stage<std::remove_const_t<decltype(similarity)>>().similarity());
  });
}

TEST_CASE("a measurement changes no bit of the weights") {
  std::vector<float> const samples = {1, 2, 5, 0, 3, 1, 2, 2, -1, 4, 0, 1};
  weir::SelfCommunicator const communicator;
  weir::AllReduce const all_reduce{communicator};
  auto const train = [&](auto const& recipe) {
    weir::HostExecutor const executor;
    std::vector<float> weights(3);
    weir::StreamWorkerPool workers{
        executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({8, 4}), .local_batch = 2}};
    auto sync = recipe.on(workers, weir::view(weights));
    Model const model;
    for (int step = 0; step < 3; ++step) sync(workers(std::span<float const>(samples), model));
    sync.wait();
    return weights;
  };
  weir::Sgd const sgd{{.learning_rate = 0.3}};
  auto const expected = train(weir::GradAccumulator{3} | weir::LocalAggregator{} | all_reduce | sgd);
  CHECK(same_bits(train(weir::HalfSum{} | weir::GradAccumulator{3} | weir::LocalAggregator{} |
                        weir::MeasureSimilarity{all_reduce, communicator, 1} | sgd),
                  expected));
}

TEST_CASE("a place where no half can be measured is refused") {
  weir::SelfCommunicator const communicator;
  weir::AllReduce const all_reduce{communicator};
  CHECK_THROWS_AS((weir::MeasureSimilarity{all_reduce, communicator, 0}), weir::ContractViolation);

  weir::HostExecutor const executor;
  std::vector<float> weights(3);
  weir::StreamWorkerPool workers{
      executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({8, 4}), .local_batch = 2}};
  weir::MeasureSimilarity const similarity{all_reduce, communicator, 1};
  auto const alone = weir::LocalAggregator{} | similarity | weir::Sgd{{}};
  CHECK_THROWS_WITH_AS(alone.on(workers, weir::view(weights)),
                       "MeasureSimilarity: the recipe has no HalfSum, which belongs at its front",
                       weir::ContractViolation);
  auto late = (weir::HalfSum{} | weir::LocalAggregator{} | weir::Clip{weir::ClipOptions{}} | similarity |
               weir::Sgd{{}})
                  .on(workers, weir::view(weights));
  Model const model;
  std::vector<float> const samples = {1, 2, 5, 0};
  late(workers(std::span<float const>(samples), model));
  CHECK_THROWS_AS(late.wait(), weir::ContractViolation);
}

TEST_CASE("a half of each worker is kept: what is taken is what is said, and what WorkerMemory counts") {
  auto const plan = weir::BucketPlan::by_bytes({4004, 12, 100}, 64, 64);
  weir::SelfCommunicator const communicator;
  weir::AllReduce const all_reduce{communicator};
  auto const recipe = weir::HalfSum{} | weir::LocalAggregator{} |
                      weir::MeasureSimilarity{all_reduce, communicator} | weir::Sgd{{}};
  auto const without = weir::LocalAggregator{} | all_reduce | weir::Sgd{{}};
  for (std::size_t const workers : {1u, 4u}) {
    CountingResource memory;
    weir::HostExecutor const executor{{.memory = &memory}};
    weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = plan}};
    std::vector<float> weights(plan.elements());
    auto const sync = recipe.on(pool, weir::view(weights));
    weir::WorkLayout const layout{.workers = workers};
    CHECK(memory.bytes() == workers * plan.gradient_bytes() + recipe.workspace_bytes(plan, layout));
    weir::WorkerMemory of_worker{.weights = plan.elements() * sizeof(float)};
    std::size_t const unmeasured = of_worker.bytes(workers);
    of_worker.similarity = true;
    std::size_t const scalars = 3 * (plan.size() * sizeof(weir::Measurement) + sizeof(double));
    CHECK(recipe.workspace_bytes(plan, layout) - without.workspace_bytes(plan, layout) - scalars ==
          of_worker.bytes(workers) - unmeasured);
  }
}
