#include "weir/plan/recipe_step.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <new>
#include <span>
#include <thread>
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

using weir::StepPart;

namespace {

/// Sleeps through its phases, and counts how often it was called for each.
struct SleepingModel {
  std::atomic<std::size_t> calls[weir::step_parts] = {};
  std::size_t workers = 0;

  void resize(std::size_t count) { workers = count; }
  template <class Micro>
  void operator()(Micro& micro, StepPart part) {
    ++calls[static_cast<std::size_t>(part)];
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // its data
    if (part == StepPart::data) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (part == StepPart::forward) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
    auto const gradient = micro.gradient(0);
    for (float& value : gradient) value = 0;
  }
};

struct WholeModel {
  int calls = 0;

  template <class Micro>
  void operator()(Micro& micro) {
    ++calls;
    for (float& value : micro.gradient(0)) value = 0;
  }
};

}  // namespace

TEST_CASE("a bound recipe is profiled with more and more workers") {
  std::vector<float> weights(1000);
  std::vector<int> const samples(4 * 8);
  weir::HostExecutor const exec;
  weir::StreamWorkerPool workers{
      exec, {.workers = 1, .buckets = weir::BucketPlan::by_bytes({4000}), .local_batch = 8}};
  auto const recipe =
      weir::LocalAggregator{} | weir::WeightSync{weir::WeightPolicy::sequential, weir::Sgd{{}}};
  auto sync = recipe.on(workers, weir::view(weights));
  SleepingModel model;
  weir::RecipeStep step(workers, sync, std::span<int const>(samples), model);
  auto const profile =
      weir::profile_step(step, {.local_batch = 8, .most_workers = 4, .warmup = 1, .steps = 4});

  CHECK(profile.max_workers == 4);
  CHECK(step.knows_parts());
  REQUIRE(profile.points.size() == 3);
  CHECK(model.workers == 4);
  CHECK(sync.layout().workers == 4);
  CHECK(model.calls[0] == 0);
  // Five steps of each part with 1, 2 and 4 workers, more on a busy machine, and a trial of those with 2
  // and 4.
  CHECK(model.calls[1] >= 5 * (1 + 2 + 4));
  CHECK(model.calls[1] % 5 == 0);
  CHECK(model.calls[2] == model.calls[1]);
  CHECK(model.calls[3] == model.calls[1] + 2 + 4);
  for (auto const& point : profile.points) {
    CAPTURE(point.workers);
    CHECK(point.data_ms + point.forward_ms + point.backward_ms + point.update_ms + point.copy_ms > 7);
    CHECK((point.copy_ms > 0) == (point.workers > 1));
  }
}

TEST_CASE("memory that a model cannot get ends the search for the most workers") {
  struct GreedyModel {
    std::size_t workers = 0;

    void resize(std::size_t count) { workers = count; }
    void operator()(weir::Micro<weir::HostExecutor, std::span<int const>>& micro) const {
      if (workers > 3) throw std::bad_alloc();
      for (float& value : micro.gradient(0)) value = 0;
    }
  };
  std::vector<float> weights(10);
  std::vector<int> const samples(8);
  weir::HostExecutor const exec;
  weir::StreamWorkerPool workers{exec, {.workers = 1, .buckets = weir::BucketPlan::by_bytes({40})}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{}}).on(workers, weir::view(weights));
  GreedyModel model;
  weir::RecipeStep step(workers, sync, std::span<int const>(samples), model);
  auto const profile = weir::profile_step(step, {.most_workers = 8, .warmup = 0, .steps = 1});
  CHECK(profile.max_workers == 3);
  CHECK(profile.points.size() == 3);
}

TEST_CASE("a model that knows no parts is run whole, and a batch that is too small is refused") {
  std::vector<float> weights(10);
  std::vector<int> const samples(8);
  weir::HostExecutor const exec;
  weir::StreamWorkerPool workers{
      exec, {.workers = 1, .buckets = weir::BucketPlan::by_bytes({40}), .local_batch = 8}};
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{}};
  auto sync = recipe.on(workers, weir::view(weights));
  WholeModel model;
  weir::RecipeStep step(workers, sync, std::span<int const>(samples), model);
  auto const profile = weir::profile_step(step, {.local_batch = 8, .warmup = 0, .steps = 3});
  CHECK(model.calls == 3);
  CHECK_FALSE(step.knows_parts());
  CHECK(profile.points.front().backward_ms == doctest::Approx(2 * profile.points.front().forward_ms));
  CHECK_THROWS_WITH_AS(step.resize(2), "RecipeStep: a batch of 8 samples for 2 workers; 16 would be right",
                       weir::ContractViolation);
}
