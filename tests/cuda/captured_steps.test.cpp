// A step of a recipe captured in a CUDA graph, and replayed: the bits of steps that were enqueued one by one.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

#include "support/bits.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/gradient/non_finite.hpp"
#include "weir/gradient/sharded_update.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_copy.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/tensor/buffer.hpp"
#include "weir/workers/gradients.hpp"

namespace {

weir::BucketPlan plan_of(weir::ElementType type) {
  return weir::BucketPlan::by_bytes(
      {{.elements = 40, .type = type}, {.elements = 3, .type = type}, {.elements = 300, .type = type}}, 64,
      512);
}

/// A step, then `replays` steps whose learning rate changes in the middle, then another one; either all
/// enqueued, or the second one captured and replayed. Returns the weights.
template <class Element, class Recipe>
std::vector<float> train(bool captured, int replays, Recipe const& recipe, std::size_t workers, std::size_t m,
                         bool launch_thread, bool is_partial) {
  auto const plan = plan_of(weir::element_type_of<Element>);
  stand_in::Trainer trainer(weir::CudaExecutor({.launch_thread = launch_thread}),
                            weir::WorkerOptions{.workers = workers, .buckets = plan, .local_batch = 2},
                            recipe);
  auto& sync = trainer.sync();
  stand_in::EnqueuingModel<Element> const model{.parameters = plan.parameters(), .is_partial = is_partial};
  auto const samples = stand_in::samples_of(2 * workers * m - 1);
  trainer.step(samples, model);
  auto const total = static_cast<std::uint64_t>(replays) + 2;
  if (captured) {
    auto const graph = weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(samples, model); });
    for (int i = 0; i < replays; ++i) {
      if (i == replays / 2) sync.set_learning_rate(0.03125);
      graph.replay();
    }
    sync.replayed(static_cast<std::uint64_t>(replays));
    sync.wait();
  } else {
    for (int i = 0; i < replays; ++i) {
      if (i == replays / 2) sync.set_learning_rate(0.03125);
      trainer.step(samples, model);
    }
  }
  trainer.step(samples, model);
  auto weights = trainer.weights();
  CHECK(sync.steps() == total);
  CHECK(sync.consumed() == total * samples.size());
  return weights;
}

template <class Element = float, class Recipe>
void check(Recipe const& recipe, std::size_t workers, std::size_t m, int replays = 10,
           bool launch_thread = false, bool is_partial = false) {
  CAPTURE(workers);
  CAPTURE(m);
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    CleanSession const session({.seed = seed});
    auto const expected = train<Element>(false, replays, recipe, workers, m, launch_thread, is_partial);
    CHECK(same_bits(train<Element>(true, replays, recipe, workers, m, launch_thread, is_partial), expected));
  }
}

auto sum(std::size_t m) {
  return weir::GradAccumulator{m} | weir::LocalAggregator{};
}

weir::Sgd const sgd{{.learning_rate = 0.125, .momentum = 0.5}};
weir::AdamW const adamw{{.learning_rate = 0.01}};
weir::Clip const clip{{.max_norm = 0.5}};

}  // namespace

TEST_CASE("100 replays of a captured step are 100 steps, bit by bit") {
  check(sum(2) | clip | adamw, 3, 2, 100);
  check(sum(1) | sgd, 1, 1, 100);
}

TEST_CASE("so are replays of all recipes") {
  for (std::size_t workers : {1u, 4u}) {
    for (std::size_t m : {1u, 2u}) {
      check(sum(m) | sgd, workers, m);
      check(sum(m) | weir::Clip{{.max_norm = 0.1, .per_bucket = true}} | sgd, workers, m);
      check(sum(m) | weir::WeightSync{weir::WeightPolicy::sequential, adamw}, workers, m);
      check(sum(m) | clip | weir::WeightSync{weir::WeightPolicy::overlap, sgd}, workers, m);
      check(sum(m) | weir::NonFinite{} | weir::LossScale{{.initial = 8.0, .interval = 3}} | sgd, workers, m);
      check(sum(m) | weir::UsedParameters{weir::SelfCommunicator{}} | sgd, workers, m, 10, false, true);
      check(sum(m) | weir::ShardedUpdate{weir::SelfCommunicator{}, adamw}, workers, m);
      check<weir::bfloat16>(sum(m) | clip | adamw, workers, m);
    }
  }
}

TEST_CASE("so are replays of a step that launch threads enqueued") {
  check(sum(2) | clip | adamw, 3, 2, 10, true);
}

TEST_CASE("so are replays that write 16-bit copies of the weights") {
  CleanSession const session;
  auto const plan = plan_of(weir::ElementType::bfloat16);
  weir::CudaExecutor const executor;
  weir::Buffer<weir::bfloat16, weir::CudaExecutor> const copies(executor, plan.elements());
  auto const recipe = sum(2) | adamw | weir::WeightCopy{copies.view()};
  stand_in::Trainer trainer(executor, weir::WorkerOptions{.workers = 3, .buckets = plan}, recipe);
  stand_in::EnqueuingModel<weir::bfloat16> const model{.parameters = plan.parameters()};
  auto const samples = stand_in::samples_of(6);
  trainer.step(samples, model);
  auto const after_one = trainer.weights();
  auto const graph = weir::CudaGraph::capture(executor, [&] { trainer.step(samples, model); });
  for (int i = 0; i < 5; ++i) graph.replay();
  trainer.sync().replayed(5);
  auto const weights = trainer.weights();
  CHECK(weights != after_one);
  CHECK(same_bits(weir::to_host(executor, copies.view()),
                  std::vector<weir::bfloat16>(weights.begin(), weights.end())));
}

TEST_CASE("a replay is one call, and makes, allocates and waits for nothing") {
  CleanSession session;
  auto const plan = plan_of(weir::ElementType::float32);
  auto const recipe = sum(2) | clip | weir::WeightSync{weir::WeightPolicy::overlap, adamw};
  stand_in::Trainer trainer(weir::CudaExecutor(), weir::WorkerOptions{.workers = 4, .buckets = plan}, recipe);
  stand_in::EnqueuingModel<> const model{.parameters = plan.parameters()};
  auto const samples = stand_in::samples_of(8);
  trainer.sync().settle();
  auto const graph = weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(samples, model); });
  auto const before = session.calls();
  std::size_t const heap = stand_in::heap_allocations();
  for (int i = 0; i < 10; ++i) graph.replay();
  CHECK(stand_in::heap_allocations() == heap);
  CHECK(stand_in::calls_between(before, session.calls()) ==
        stand_in::Calls{{"cudaGetDevice", 10}, {"cudaGraphLaunch", 10}});
  trainer.sync().replayed(10);
  trainer.sync().wait();
  CHECK(trainer.sync().steps() == 10);
  CHECK(session.default_stream_operations() == 0);
}

TEST_CASE("borrowed gradients without samples are left out of a step, and of the replays of a captured one") {
  struct Case {
    std::size_t samples[2];
    float gradient;
  };
  constexpr std::size_t size = 300;
  for (Case const& expected : {Case{{0, 8}, 2.0f}, Case{{8, 0}, 2.0f}, Case{{0, 0}, 0.0f}}) {
    CleanSession const session;
    weir::CudaExecutor const executor;
    weir::Buffer<float, weir::CudaExecutor> weights(executor, size), first(executor, size),
        second(executor, size);
    auto const set = [&](auto const& buffer, float value) {
      std::vector<float> const values(size, value);
      weir::from_host(executor, std::span<float const>(values), buffer.view());
    };
    auto const set_gradient = [&](auto const& buffer, std::size_t samples) {
      set(buffer, samples == 0 ? std::numeric_limits<float>::quiet_NaN() : 2.0f);
    };
    auto const set_gradients = [&] {
      set_gradient(first, expected.samples[0]);
      set_gradient(second, expected.samples[1]);
    };
    set(weights, 0.0f);
    weir::Gradients source{executor, weir::BucketPlan::by_bytes({size * sizeof(float)}),
                           std::vector{first.view(), second.view()}};
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}}).on(source, weights.view());
    set_gradients();
    sync(source(expected.samples));
    sync.wait();
    auto const graph = weir::CudaGraph::capture(executor, [&] { sync(source(expected.samples)); });
    for (int replay = 0; replay < 3; ++replay) {
      set_gradients();
      graph.replay();
      executor.synchronize();
    }
    sync.replayed(3);
    sync.wait();
    CHECK(weir::to_host(executor, weights.view()) == std::vector<float>(size, -4 * expected.gradient));
  }
}

TEST_CASE("a model that throws during a capture: the cause is rethrown, nothing has changed, steps go on") {
  CleanSession session;
  auto const plan = plan_of(weir::ElementType::float32);
  auto const recipe = sum(1) | clip | sgd;
  stand_in::Trainer trainer(weir::CudaExecutor(), weir::WorkerOptions{.workers = 2, .buckets = plan}, recipe);
  stand_in::EnqueuingModel<> const model{.parameters = plan.parameters()};
  auto const samples = stand_in::samples_of(2);
  trainer.step(samples, model);
  auto const before = trainer.weights();
  auto const throws = [&](auto& micro) {
    model(micro);
    if (micro.worker() == 1) throw std::runtime_error("no");
  };
  CHECK_THROWS_AS((void)weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(samples, throws); }),
                  weir::WorkerError);
  CHECK(!trainer.executor().is_capturing());
  CHECK(session.inventory().graphs == 0);
  CHECK(same_bits(trainer.weights(), before));
  trainer.step(samples, model);
  trainer.sync().wait();
  CHECK(trainer.sync().steps() == 2);
}
