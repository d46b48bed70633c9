// Whole recipes on CudaExecutor, on the stand-in: the events order every access, whatever order the streams
// run in, and the weights have the bits of HostExecutor.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "support/bits.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/training.hpp"
#include "weir/cuda/pooled_memory.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/gradient/non_finite.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

constexpr int steps = 3;

weir::BucketPlan plan_of(weir::ElementType type) {
  return weir::BucketPlan::by_bytes({{.elements = 40, .type = type},
                                     {.elements = 3, .type = type},
                                     {.elements = 300, .type = type},
                                     {.elements = 17, .type = type}},
                                    64, 512);
}

template <class Element, class E, class Recipe>
std::vector<float> train(E const& executor, Recipe const& recipe, std::size_t workers, std::size_t m) {
  auto const plan = plan_of(weir::element_type_of<Element>);
  stand_in::Trainer trainer(
      executor, weir::WorkerOptions{.workers = workers, .buckets = plan, .local_batch = 2}, recipe);
  stand_in::EnqueuingModel<Element> const model{.parameters = plan.parameters()};
  auto const samples = stand_in::samples_of(2 * workers * m);
  for (int step = 0; step < steps; ++step) trainer.step(samples, model);
  return trainer.weights();
}

template <class Element = float, class Recipe>
void check(Recipe const& recipe, std::size_t workers, std::size_t m, std::uint64_t seeds = 6,
           weir::CudaOptions const& options = {}) {
  CAPTURE(workers);
  CAPTURE(m);
  auto const expected = train<Element>(weir::HostExecutor(), recipe, workers, m);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    CleanSession const session({.devices = 2, .seed = seed});
    CHECK(same_bits(train<Element>(weir::CudaExecutor(options), recipe, workers, m), expected));
    CHECK(session.default_stream_operations() == 0);
  }
}

auto with_sum(std::size_t m) {
  return weir::GradAccumulator{m} | weir::LocalAggregator{};
}

weir::Sgd const sgd{{.learning_rate = 0.125, .momentum = 0.5, .nesterov = true, .weight_decay = 0.01}};
weir::AdamW const adamw{{.learning_rate = 0.01}};
weir::Clip const clip{{.max_norm = 0.5}};

}  // namespace

TEST_CASE("1 to 8 workers with 1 to 3 micro-batches give the bits of the host, in any order of the streams") {
  for (std::size_t workers = 1; workers <= 8; ++workers) {
    for (std::size_t m = 1; m <= 3; ++m) check(with_sum(m) | sgd, workers, m);
  }
}

TEST_CASE("so do recipes of all stages") {
  for (std::size_t workers : {1u, 2u, 5u}) {
    for (std::size_t m : {1u, 2u}) {
      check(with_sum(m) | adamw, workers, m);
      check(with_sum(m) | clip | adamw, workers, m);
      check(with_sum(m) | weir::Clip{{.max_norm = 0.1, .per_bucket = true}} | sgd, workers, m);
      check(with_sum(m) | weir::WeightSync{weir::WeightPolicy::shared, sgd}, workers, m);
      check(with_sum(m) | weir::WeightSync{weir::WeightPolicy::sequential, adamw}, workers, m);
      check(with_sum(m) | weir::WeightSync{weir::WeightPolicy::overlap, sgd}, workers, m);
      check(with_sum(m) | clip | weir::WeightSync{weir::WeightPolicy::overlap, adamw}, workers, m);
      check(with_sum(m) | weir::NonFinite{} | weir::LossScale{{.initial = 8.0, .interval = 2}} | sgd, workers,
            m);
    }
  }
}

TEST_CASE("so do gradients of 16 bits") {
  for (std::size_t m : {1u, 3u}) {
    check<weir::bfloat16>(with_sum(m) | clip | adamw, 4, m);
    check<weir::half>(with_sum(m) | sgd, 3, m);
  }
}

TEST_CASE("so do steps that launch threads enqueue, on a device that is not the current one") {
  for (std::size_t workers : {1u, 2u, 4u}) {
    check(with_sum(2) | clip | adamw, workers, 2, 10, {.device = 1, .launch_thread = true});
    check(with_sum(2) | weir::WeightSync{weir::WeightPolicy::overlap, sgd}, workers, 2, 10,
          {.device = 1, .launch_thread = true});
  }
}

TEST_CASE("so do steps with memory from a pool, in stream order") {
  weir::PooledMemory pool;
  check(with_sum(2) | clip | weir::WeightSync{weir::WeightPolicy::overlap, adamw}, 3, 2, 20,
        {.memory = &pool});
}

TEST_CASE("recipes on several devices at once, with and without launch threads, do not meet") {
  auto const recipe = with_sum(2) | clip | adamw;
  auto const expected = train<float>(weir::HostExecutor(), recipe, 2, 2);
  auto const plan = plan_of(weir::ElementType::float32);
  stand_in::EnqueuingModel<> const model{.parameters = plan.parameters()};
  auto const samples = stand_in::samples_of(8);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    CleanSession const session({.devices = 3, .seed = seed});
    using Trainer = stand_in::Trainer<weir::CudaExecutor, decltype(recipe)>;
    std::vector<std::unique_ptr<Trainer>> trainers;
    for (int i = 0; i < 6; ++i) {
      weir::CudaExecutor const executor({.device = i % 3, .launch_thread = i >= 3});
      trainers.push_back(std::make_unique<Trainer>(
          executor, weir::WorkerOptions{.workers = 2, .buckets = plan, .local_batch = 2}, recipe));
    }
    for (int step = 0; step < steps; ++step) {
      for (auto const& trainer : trainers) trainer->step(samples, model);
    }
    for (auto const& trainer : trainers) CHECK(same_bits(trainer->weights(), expected));
  }
}

TEST_CASE("many orders of the streams") {
  check(with_sum(2) | clip | weir::WeightSync{weir::WeightPolicy::overlap, adamw}, 4, 2, 200);
}
