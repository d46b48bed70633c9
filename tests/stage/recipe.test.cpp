#include "weir/stage/recipe.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/bits.hpp"
#include "support/network.hpp"
#include "support/stages.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

/// A stage of a user's own that lets only every second step through.
struct EverySecond {
  using consumes = weir::Dense;
  using produces = weir::Dense;

  template <weir::Executor E>
  auto on(weir::BucketContext<E> const&) const {
    return [](weir::DenseGradient<E> const& gradient) -> std::optional<weir::DenseGradient<E>> {
      if (gradient.step.number % 2 == 0) return std::nullopt;
      return gradient;
    };
  }
};

/// One that works on each worker's gradient, on the worker's stream: doubles it after the last micro-batch.
struct DoubleOnWorker {
  using consumes = weir::PerWorker;
  using produces = weir::PerWorker;
  std::atomic<int>* calls;

  template <weir::Executor E>
  auto on(weir::BucketContext<E> const&) const {
    return [calls = calls](weir::WorkerGradient<E> gradient) {
      ++*calls;
      weir::add_scaled(gradient.executor, gradient.values.template as<float>(), 1.0f,
                       gradient.values.template as<float>());
      return gradient;
    };
  }
};

/// One that needs all buckets: divides them by their largest element, which it keeps.
struct DivideByLargest {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  static constexpr bool needs_all_buckets = true;
  std::vector<float>* largest;

  template <weir::HostOrderedExecutor E>
  struct Bound {
    std::vector<float>* all;
    float largest = 0.0f;
    int steps_begun = 0, steps_ended = 0;

    void begin_step(E const&, weir::StepInfo const&) {
      ++steps_begun;
      largest = 0.0f;
    }
    void end_step(E const&, weir::StepInfo const&) { ++steps_ended; }
    void prepare(weir::DenseGradient<E>& gradient) {
      gradient.materialise();
      for (float value : gradient.values) largest = value > largest ? value : largest;
    }
    void decide(E const&, weir::StepInfo const&) { all->push_back(largest); }
    weir::DenseGradient<E> operator()(weir::DenseGradient<E> gradient) const {
      gradient.scale.value /= static_cast<double>(largest);
      return gradient;
    }
  };

  template <weir::HostOrderedExecutor E>
  auto on(weir::RecipeContext<E> const&) const {
    return Bound<E>{largest};
  }
};

weir::Sgd sgd() {
  return weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
}

template <class Recipe>
std::vector<float> train(Recipe const& recipe, std::size_t workers, std::size_t micro_batches, int steps) {
  auto const data = network::samples(workers * micro_batches * 2);
  auto const model = network::model();
  auto weights = network::initial_weights();
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = network::plan(), .local_batch = 2}};
  auto sync = recipe.on(pool, weir::view(weights));
  for (int step = 0; step < steps; ++step) sync(pool(network::Batch(data), model));
  sync.wait();
  return weights;
}

}

TEST_CASE("a recipe is a value, composed in any grouping and bound any number of times") {
  auto const front = weir::GradAccumulator{2} | weir::LocalAggregator{};
  auto const back = weir::Clip{{.max_norm = 0.1}} | sgd();
  auto const one = weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::Clip{{.max_norm = 0.1}} | sgd();
  auto const two = front | back;
  static_assert(std::is_same_v<decltype(one), decltype(two)>);
  using Front = std::remove_const_t<decltype(front)>;
  static_assert(weir::GradientStage<Front>);
  static_assert(std::is_same_v<Front::consumes, weir::PerWorker>);
  static_assert(std::is_same_v<Front::produces, weir::Dense>);
  auto const expected = train(one, 3, 2, 5);
  CHECK(same_bits(train(two, 3, 2, 5), expected));
  CHECK(same_bits(train(two, 3, 2, 5), expected));
  CHECK(expected != network::initial_weights());
}

TEST_CASE("a stage of the user's own may hold a step back") {
  std::atomic<int> applied = 0;
  auto const count = [&](std::size_t, std::uint64_t step) { applied += step % 2 == 1 ? 1 : 1000; };
  auto const found = train(
      weir::GradAccumulator{2} | weir::LocalAggregator{} | EverySecond{} | sgd() | Watch{count}, 4, 2, 6);
  CHECK(applied == 3 * network::parameters);
  CHECK(same_bits(found, train(weir::GradAccumulator{2} | weir::LocalAggregator{} | sgd(), 4, 2, 3)));
}

TEST_CASE("a stage that holds back before one that needs all buckets stops that one too") {
  auto const found =
      train(weir::LocalAggregator{} | EverySecond{} | weir::Clip{{.max_norm = 0.1}} | sgd(), 3, 1, 6);
  CHECK(same_bits(found, train(weir::LocalAggregator{} | weir::Clip{{.max_norm = 0.1}} | sgd(), 3, 1, 3)));
}

TEST_CASE("a stage on the workers' gradients runs once per bucket and worker, after the accumulation") {
  std::atomic<int> calls = 0;
  auto const recipe = [](auto const& stage, double rate) {
    return weir::GradAccumulator{2} | stage | weir::Sgd{{.learning_rate = rate}};
  };
  auto const found = train(recipe(DoubleOnWorker{&calls} | weir::LocalAggregator{}, 0.125), 3, 2, 4);
  CHECK(calls == 4 * 3 * network::parameters);
  CHECK(same_bits(found, train(recipe(weir::LocalAggregator{}, 0.25), 3, 2, 4)));
}

TEST_CASE("before the accumulation it runs in every micro-batch") {
  std::atomic<int> calls = 0;
  train(DoubleOnWorker{&calls} | weir::GradAccumulator{2} | weir::LocalAggregator{} | sgd(), 3, 2, 4);
  CHECK(calls == 4 * 3 * 2 * network::parameters);
}

TEST_CASE("a stage that needs all buckets sees them all before it decides") {
  std::vector<float> largest;
  auto const data = network::samples(6);
  auto const model = network::model();
  auto weights = network::initial_weights();
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = network::plan(), .local_batch = 2}};
  std::vector<float> applied(2, 0.0f);
  auto const look = [&](auto const& gradient) {
    for (float value : gradient.values) {
      float const scaled = value * static_cast<float>(gradient.scale.factor());
      float& most = applied[gradient.step.number];
      most = scaled > most ? scaled : most;
    }
  };
  auto sync = (weir::LocalAggregator{weir::SumScale{}} | DivideByLargest{&largest} | Peek{look} | sgd())
                  .on(pool, weir::view(weights));
  for (int step = 0; step < 2; ++step) sync(pool(network::Batch(data), model));
  sync.wait();
  REQUIRE(largest.size() == 2);
  CHECK(largest[0] != largest[1]);
  for (float most : applied) CHECK(most == doctest::Approx(1.0f));
  CHECK(sync.stage<DivideByLargest>().steps_begun == 2);
  CHECK(sync.stage<DivideByLargest>().steps_ended == 2);
}

TEST_CASE("double weights, gradients and sums") {
  auto const data = network::samples(12);
  auto const model = network::model();
  auto weights = network::initial_weights<double>();
  weir::HostExecutor const executor;
  weir::StreamWorkerPool<weir::HostExecutor, double> pool{
      executor, {.workers = 3, .buckets = network::plan(weir::ElementType::float64), .local_batch = 2}};
  auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::Clip{{.max_norm = 1e9}} | sgd())
                  .on(pool, weir::view(weights));
  auto expected = network::initial_weights<double>();
  std::vector<double> velocity(network::total);
  for (int step = 0; step < 10; ++step) {
    sync(pool(network::Batch(data), model));
    auto const gradient = network::gradient(expected, network::Batch(data));
    for (std::size_t i = 0; i < network::total; ++i) {
      velocity[i] = 0.9 * velocity[i] + gradient[i];
      expected[i] -= 0.1 * velocity[i];
    }
  }
  sync.wait();
  for (std::size_t i = 0; i < network::total; ++i)
    CHECK(weights[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

TEST_CASE("the stages before the join run on the workers' threads, the others on a thread of their own") {
  std::set<std::thread::id> worker_threads, stage_threads;
  auto const note_stage = [&](std::size_t, std::uint64_t) {
    stage_threads.insert(std::this_thread::get_id());
  };
  weir::HostExecutor const executor;
  std::vector<float> weights(2);
  weir::StreamWorkerPool pool{executor, {.buckets = weir::BucketPlan::by_bytes({4, 4}, 1, 1)}};
  auto const model = [&](auto&) { worker_threads.insert(std::this_thread::get_id()); };
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{}} | Watch{note_stage}).on(pool, weir::view(weights));
  int const samples[1] = {};
  for (int step = 0; step < 20; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(worker_threads.size() == 1);
  CHECK(stage_threads.size() == 1);
  CHECK(worker_threads != stage_threads);
  CHECK(worker_threads.count(std::this_thread::get_id()) + stage_threads.count(std::this_thread::get_id()) ==
        0);
}
