// Whole recipes on CudaExecutor, on the stand-in: the events order every access, whatever order the streams
// run in, and the weights have the bits of HostExecutor.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "support/bits.hpp"
#include "support/bucket_orders.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/cuda/pooled_memory.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/gradient/non_finite.hpp"
#include "weir/gradient/used_parameters.hpp"
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

/// What is trained in each step.
struct Work {
  std::size_t workers = 1;
  std::size_t micro_batches = 1;
  std::size_t local_batch = 2;
  std::size_t missing = 0;  // samples that the last micro-batches lack
  bool is_partial = false;

  std::size_t samples() const { return workers * micro_batches * local_batch - missing; }
};

template <class Element, class E, class Recipe>
auto train(E const& executor, Recipe const& recipe, Work const& work, int count = steps) {
  using Real = std::conditional_t<std::is_same_v<Element, double>, double, float>;
  auto const plan = plan_of(weir::element_type_of<Element>);
  stand_in::Trainer<E, Recipe, Real> trainer(
      executor, {.workers = work.workers, .buckets = plan, .local_batch = work.local_batch}, recipe);
  stand_in::EnqueuingModel<Element> const model{.parameters = plan.parameters(),
                                                .is_partial = work.is_partial};
  auto const samples = stand_in::samples_of(work.samples());
  for (int step = 0; step < count; ++step) trainer.step(samples, model);
  return trainer.weights();
}

template <class Element = float, class Recipe>
void check(Recipe const& recipe, Work const& work, std::uint64_t seeds = 6,
           weir::CudaOptions const& options = {}) {
  CAPTURE(work.workers);
  CAPTURE(work.micro_batches);
  CAPTURE(work.local_batch);
  CAPTURE(work.missing);
  auto const expected = train<Element>(weir::HostExecutor(), recipe, work);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    CleanSession const session({.devices = 2, .seed = seed});
    CHECK(same_bits(train<Element>(weir::CudaExecutor(options), recipe, work), expected));
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

TEST_CASE("1 to 8 workers with 1 to 4 micro-batches give the bits of the host, in any order of the streams") {
  for (std::size_t workers = 1; workers <= 8; ++workers) {
    for (std::size_t m = 1; m <= 4; ++m) {
      for (std::size_t local_batch : {1u, 3u, 8u}) check(with_sum(m) | sgd, {workers, m, local_batch}, 2);
    }
  }
}

TEST_CASE("so do micro-batches that are ragged or empty, in any type of gradient") {
  for (std::size_t local_batch : {1u, 3u, 8u}) {
    for (std::size_t missing : {std::size_t{1}, local_batch, 3 * local_batch + 1, 12 * local_batch - 1}) {
      Work const work{.workers = 4, .micro_batches = 3, .local_batch = local_batch, .missing = missing};
      check(with_sum(3) | clip | weir::WeightSync{weir::WeightPolicy::overlap, adamw}, work, 2);
      check<double>(with_sum(3) | sgd, work, 2);
      check<weir::bfloat16>(with_sum(3) | sgd, work, 2);
    }
  }
}

TEST_CASE("so do all policies for the scale, applied before the sum or after it") {
  using weir::ScaleTime;
  Work const ragged{.workers = 3, .micro_batches = 2, .local_batch = 3, .missing = 4};
  auto const with = [&](auto const& scale) {
    for (ScaleTime const time : {ScaleTime::before_sum, ScaleTime::after_sum}) {
      auto const recipe = weir::GradAccumulator{2} | weir::LocalAggregator{scale, time} | clip | sgd;
      check(recipe, ragged, 2);
      check<double>(recipe, ragged, 2);
      check<weir::half>(recipe, ragged, 2);
    }
  };
  with(weir::MeanOverSamples{});
  with(weir::MeanOverMicroBatches{});
  with(weir::SumScale{});
}

TEST_CASE("equal weights give those bits too, and refuse a ragged micro-batch by its number") {
  auto const equal = weir::GradAccumulator{2, weir::Equal{}} | weir::LocalAggregator{} | sgd;
  Work work{.workers = 3, .micro_batches = 2, .local_batch = 4};
  check(equal, work);
  {
    CleanSession const session;
    CHECK(same_bits(train<float>(weir::CudaExecutor(), equal, work),
                    train<float>(weir::HostExecutor(), with_sum(2) | sgd, work)));
  }
  work.missing = 9;
  for (bool const has_launch_thread : {false, true}) {
    CleanSession const session;
    CHECK_THROWS_WITH_AS(train<float>(weir::CudaExecutor({.launch_thread = has_launch_thread}), equal, work),
                         "micro-batch 3 has 3 samples, but the weighting Equal needs local batches of 4",
                         weir::ContractViolation);
  }
}

TEST_CASE("all orders in which 3 workers report 4 buckets give the same bits") {
  auto const plan = weir::BucketPlan::by_bytes({4, 8, 12, 16}, 1, 1);
  auto const recipe = with_sum(1) | sgd;
  auto const in_orders = [&](auto const& executor, weir::BucketPlan const* all_orders_of) {
    stand_in::Trainer trainer(executor, {.workers = 3, .buckets = plan}, recipe);
    stand_in::EnqueuingModel<> const model{.parameters = plan.parameters(), .all_orders_of = all_orders_of};
    auto const samples = stand_in::samples_of(3);
    for (std::size_t step = 0; step < steps_of_all_orders; ++step) {
      trainer.step(samples, model);
      if (step % 64 == 0) trainer.sync().wait();
    }
    return trainer.weights();
  };
  auto const expected = in_orders(weir::HostExecutor(), nullptr);
  CleanSession const session;
  CHECK(same_bits(in_orders(weir::CudaExecutor(), &plan), expected));
}

TEST_CASE("parameters that no worker has used keep their bits, and so does what the others become") {
  auto const with = [](auto const& optimizer) {
    return with_sum(2) | weir::UsedParameters{weir::SelfCommunicator{}} | optimizer;
  };
  Work const partial{.workers = 3, .micro_batches = 2, .is_partial = true};
  check(with(sgd), partial);
  check(with(weir::WeightSync{weir::WeightPolicy::overlap, adamw}), partial);
  check(with(weir::WeightSync{weir::WeightPolicy::sequential, sgd}), {3, 2, 4, 17, true});
  check<double>(with(adamw), partial);
  check<weir::bfloat16>(with(clip | sgd), partial);
  check(with(adamw), partial, 10, {.launch_thread = true});

  CleanSession const session;
  auto const after = [&](int count) { return train<float>(weir::CudaExecutor(), with(sgd), partial, count); };
  auto const once = after(1);
  auto const often = after(5);
  auto const part = [](std::vector<float> const& weights, int begin, int end) {
    return std::vector<float>(weights.begin() + begin, weights.begin() + end);
  };
  CHECK(same_bits(part(often, 43, 343), part(once, 43, 343)));  // parameter 2, used in the first step only
  CHECK(part(often, 40, 43) != part(once, 40, 43));             // parameter 1, used by one micro-batch
}

TEST_CASE("so do recipes of all stages") {
  for (std::size_t workers : {1u, 2u, 5u}) {
    for (std::size_t m : {1u, 2u}) {
      check(with_sum(m) | adamw, {workers, m});
      check(with_sum(m) | clip | adamw, {workers, m});
      check(with_sum(m) | weir::Clip{{.max_norm = 0.1, .per_bucket = true}} | sgd, {workers, m});
      check(with_sum(m) | weir::WeightSync{weir::WeightPolicy::shared, sgd}, {workers, m});
      check(with_sum(m) | weir::WeightSync{weir::WeightPolicy::sequential, adamw}, {workers, m});
      check(with_sum(m) | weir::WeightSync{weir::WeightPolicy::overlap, sgd}, {workers, m});
      check(with_sum(m) | clip | weir::WeightSync{weir::WeightPolicy::overlap, adamw}, {workers, m});
      check(with_sum(m) | weir::NonFinite{} | weir::LossScale{{.initial = 8.0, .interval = 2}} | sgd,
            {workers, m});
    }
  }
}

TEST_CASE("so do gradients of 16 bits") {
  for (std::size_t m : {1u, 3u}) {
    check<weir::bfloat16>(with_sum(m) | clip | adamw, {4, m});
    check<weir::half>(with_sum(m) | sgd, {3, m});
  }
}

TEST_CASE("so do steps that launch threads enqueue, on a device that is not the current one") {
  for (std::size_t workers : {1u, 2u, 4u}) {
    check(with_sum(2) | clip | adamw, {workers, 2}, 10, {.device = 1, .launch_thread = true});
    check(with_sum(2) | weir::WeightSync{weir::WeightPolicy::overlap, sgd}, {workers, 2}, 10,
          {.device = 1, .launch_thread = true});
  }
}

TEST_CASE("so do steps with memory from a pool, in stream order") {
  weir::PooledMemory pool;
  check(with_sum(2) | clip | weir::WeightSync{weir::WeightPolicy::overlap, adamw}, {3, 2}, 20,
        {.memory = &pool});
}

TEST_CASE("recipes on several devices at once, with and without launch threads, do not meet") {
  auto const recipe = with_sum(2) | clip | adamw;
  auto const expected = train<float>(weir::HostExecutor(), recipe, {2, 2});
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
  check(with_sum(2) | clip | weir::WeightSync{weir::WeightPolicy::overlap, adamw}, {4, 2}, 200);
}
