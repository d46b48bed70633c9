// Once a recipe is bound, a step takes no memory, starts no thread, and does not hold up who enqueues it.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "counting/counters.hpp"
#include "fault/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
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
#include "weir/trace/recorder.hpp"
#include "weir/workers/buffer_sync.hpp"
#include "weir/workers/gradients.hpp"
#include "weir/workers/local_batch.hpp"

namespace {

using weir::AllReduce;
using weir::GradAccumulator;
using weir::LocalAggregator;

weir::BucketPlan plan_of(weir::ElementType type) {
  return weir::BucketPlan::by_bytes({{.elements = 40, .type = type},
                                     {.elements = 3, .type = type},
                                     {.elements = 1000, .type = type},
                                     {.elements = 17, .type = type}},
                                    64, 512);
}

struct Counts {
  std::size_t allocations;
  std::size_t threads;
  std::size_t blocking_calls;  // of the thread that enqueues the steps, while it does
};

/// When the caller waits for the steps.
enum class Waits : std::uint8_t { at_the_end, after_each };

/// What happens in steps 3 to `steps`.
template <class Step, class Wait>
Counts count(Step const& step, Wait const& wait, std::size_t steps, Waits waits) {
  for (int i = 0; i < 2; ++i) step();
  wait();
  std::size_t const allocations = counters::allocations;
  std::size_t const threads = counters::threads_started;
  std::size_t blocking_calls = 0;
  for (std::size_t i = 2; i < steps; ++i) {
    std::size_t const before = counters::blocking_calls;
    step();
    blocking_calls += counters::blocking_calls - before;
    if (waits == Waits::after_each) wait();
  }
  wait();
  return {counters::allocations - allocations, counters::threads_started - threads, blocking_calls};
}

/// More than ten steps may fill the caller's stream, and then hold the caller up.
template <class Step, class Wait>
void check_steps(Step const& step, Wait const& wait, std::size_t steps = 10,
                 Waits waits = Waits::at_the_end) {
  Counts const counts = count(step, wait, steps, waits);
  CHECK(counts.allocations == 0);
  CHECK(counts.threads == 0);
  if (steps == 10) CHECK(counts.blocking_calls == 0);
}

/// `recipe(rank)` gives the recipe of each rank.
template <class Element = float, class MakeRecipe>
void check(MakeRecipe const& recipe, std::size_t ranks, std::size_t workers, std::size_t micro_batches,
           std::size_t steps = 10) {
  CAPTURE(ranks);
  CAPTURE(workers);
  CAPTURE(micro_batches);
  auto const plan = plan_of(weir::element_type_of<Element>);
  TestModel<Element> const model{plan.parameters()};
  Ranks<MakeRecipe> all(ranks, {.workers = workers, .buckets = plan, .local_batch = 2}, recipe);
  std::vector<float> const samples = small_integers(ranks * workers * micro_batches * 2);
  check_steps([&] { all.step(samples, model); }, [&] { all.wait(); }, steps);
}

auto accumulate_and_sum(std::size_t micro_batches) {
  return GradAccumulator{micro_batches} | LocalAggregator{} | AllReduce{weir::SelfCommunicator{}};
}

}  // namespace

TEST_CASE(
    "steps 3 to 10 allocate nothing, start no thread and block nobody, for any workers and micro-batches") {
  weir::Sgd const sgd{{.learning_rate = 0.125}};
  for (std::size_t workers = 1; workers <= 8; ++workers) {
    for (std::size_t m = 1; m <= 4; ++m)
      check([&](std::size_t) { return accumulate_and_sum(m) | sgd; }, 1, workers, m);
  }
}

TEST_CASE("steps 3 to 10 allocate nothing, start no thread and block nobody, whatever the stages") {
  weir::Sgd const momentum{{.learning_rate = 0.125, .momentum = 0.5, .nesterov = true, .weight_decay = 0.01}};
  weir::AdamW const adamw{{.learning_rate = 0.01}};
  weir::Clip const clip{{.max_norm = 1.0}};
  for (std::size_t workers : {1u, 3u, 8u}) {
    for (std::size_t m : {1u, 4u}) {
      auto const with = [&](auto const& rest) {
        check([&](std::size_t) { return accumulate_and_sum(m) | rest; }, 1, workers, m);
      };
      with(momentum);
      with(adamw);
      with(clip | momentum);
      with(weir::Clip{{.max_norm = 1.0, .per_bucket = true}} | momentum);
      with(weir::LossScale{} | momentum);
      with(weir::NonFinite{} | momentum);
      with(weir::UsedParameters{weir::SelfCommunicator{}} | momentum);
      with(weir::WeightSync{weir::WeightPolicy::shared, momentum});
      with(weir::WeightSync{weir::WeightPolicy::sequential, adamw});
      with(weir::WeightSync{weir::WeightPolicy::overlap, momentum});
      with(weir::NonFinite{} | weir::LossScale{} | clip |
           weir::WeightSync{weir::WeightPolicy::overlap, adamw});
      check<weir::bfloat16>([&](std::size_t) { return accumulate_and_sum(m) | clip | adamw; }, 1, workers, m);
    }
  }
}

TEST_CASE("2,000 steps allocate nothing and start no thread") {
  weir::Sgd const sgd{{.learning_rate = 0.125, .momentum = 0.5}};
  check([&](std::size_t) { return accumulate_and_sum(1) | sgd; }, 1, 4, 1, 2000);
  check([&](std::size_t) { return accumulate_and_sum(2) | weir::Clip{{.max_norm = 1.0}} | sgd; }, 1, 2, 2,
        2000);
}

TEST_CASE("steps over two ranks allocate nothing and start no thread") {
  weir::Sgd const sgd{{.learning_rate = 0.125, .momentum = 0.5}};
  for (std::size_t workers : {1u, 3u}) {
    for (std::size_t m : {1u, 2u}) {
      auto group = weir::ThreadCommunicator::group(2);
      auto const recipe = [&](std::size_t rank) {
        return GradAccumulator{m} | LocalAggregator{} | AllReduce{group[rank]} | weir::NonFinite{} |
               weir::UsedParameters{group[rank]} | weir::Clip{{.max_norm = 1.0}} |
               weir::WeightSync{weir::WeightPolicy::overlap, sgd};
      };
      check(recipe, 2, workers, m, workers == 1 ? 2000 : 10);
    }
  }
}

TEST_CASE("a sharded update, and a sum over the samples of two ranks, allocate and block as little") {
  weir::AdamW const adamw{{.learning_rate = 0.01}};
  for (std::size_t ranks : {1u, 2u}) {
    auto group = weir::ThreadCommunicator::group(ranks);
    auto const sharded = [&](std::size_t rank) {
      return GradAccumulator{2} | LocalAggregator{} | weir::ShardedUpdate{group[rank], adamw};
    };
    check(sharded, ranks, 3, 2);

    auto const reduced = [&](std::size_t rank) {
      return GradAccumulator{2} | LocalAggregator{} | AllReduce{group[rank]} | adamw;
    };
    auto const plan = plan_of(weir::ElementType::float32);
    TestModel<> const model{plan.parameters()};
    Ranks all(ranks, {.workers = 3, .buckets = plan, .local_batch = 2}, reduced);
    std::vector<float> const samples = small_integers(11);
    check_steps(
        [&] {
          for (std::size_t rank = 0; rank < ranks; ++rank)
            all[rank].sync(all[rank].pool(weir::LocalBatch{std::span(samples)}, model));
        },
        [&] { all.wait(); });
    CHECK(all[0].sync.consumed() == 10 * ranks * samples.size());
  }
}

TEST_CASE("16-bit copies of the weights, and a recorder that has come round, allocate and block as little") {
  auto const plan = plan_of(weir::ElementType::bfloat16);
  TestModel<weir::bfloat16> const model{plan.parameters()};
  weir::HostExecutor const executor;
  weir::StreamWorkerPool workers{executor, {.workers = 3, .buckets = plan, .local_batch = 2}};
  auto weights = small_integers(plan.elements());
  std::vector<weir::bfloat16> copies(weights.size());
  weir::Recorder recorder{20};
  auto sync =
      (accumulate_and_sum(2) | weir::AdamW{{.learning_rate = 0.01}} | weir::WeightCopy{weir::view(copies)})
          .on(workers, weir::view(weights), {.spans = &recorder});
  std::vector<float> const samples = small_integers(12);
  check_steps([&] { sync(workers(std::span(samples), model)); }, [&] { sync.wait(); });
  CHECK(recorder.dropped() > 0);
  CHECK(copies[0] == weir::bfloat16(weights[0]));
}

TEST_CASE("borrowed gradients allocate and block as little, in one row, gathered, with samples unknown") {
  auto const plan = plan_of(weir::ElementType::float32);
  weir::HostExecutor const executor;
  auto weights = small_integers(plan.elements());
  std::vector<float> gradients[2] = {small_integers(plan.elements()), small_integers(plan.elements())};
  using View = weir::TensorView<float, weir::HostSpace>;
  std::vector<std::vector<View>> apart(2);  // in the reverse order
  for (std::size_t worker = 0; worker < 2; ++worker) {
    std::size_t end = plan.elements();
    for (std::size_t p = 0; p < plan.parameters(); ++p) {
      end -= plan.parameter(p).elements;
      apart[worker].push_back(weir::view(gradients[worker]).part(end, plan.parameter(p).elements));
    }
  }
  auto const check_source = [&](auto const& views) {
    weir::Gradients source{executor, plan, views};
    auto sync = (LocalAggregator{} | AllReduce{weir::SelfCommunicator{}} |
                 weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}})
                    .on(source, weir::view(weights));
    std::size_t const samples[] = {8, 3};
    for (std::size_t total : {11u, 0u})
      check_steps([&] { sync(source(samples, {}, total)); }, [&] { sync.wait(); }, 10, Waits::after_each);
    CHECK(sync.consumed() == 2 * 10 * 11);
  };
  check_source(std::vector{weir::view(gradients[0]), weir::view(gradients[1])});
  check_source(apart);
}

TEST_CASE("buffers that are synchronised before each step allocate and block as little") {
  for (auto policy : {weir::BufferPolicy::from_main, weir::BufferPolicy::average}) {
    auto group = weir::ThreadCommunicator::group(2);
    auto const recipe = [&](std::size_t rank) {
      return LocalAggregator{} | AllReduce{group[rank]} | weir::Sgd{{.learning_rate = 0.125}};
    };
    auto const plan = plan_of(weir::ElementType::float32);
    TestModel<> const model{plan.parameters()};
    std::vector<std::vector<float>> means(4, std::vector<float>(100, 1.0f));
    std::vector<std::vector<std::int64_t>> counts(4, std::vector<std::int64_t>(3, 1));
    Ranks all(2, {.workers = 2, .buckets = plan}, recipe);
    // The layouts are exchanged on another stream, over the same communicator.
    for (std::size_t rank = 0; rank < 2; ++rank) all[rank].sync.settle();
    using Buffers = weir::BufferSync<weir::HostExecutor, weir::ThreadCommunicator>;
    std::vector<Buffers> buffers;
    for (std::size_t rank = 0; rank < 2; ++rank) {
      buffers.emplace_back(all[rank].executor, group[rank], policy,
                           std::vector{weir::view(means[2 * rank]), weir::view(means[2 * rank + 1])},
                           std::vector{weir::view(counts[2 * rank]), weir::view(counts[2 * rank + 1])});
    }
    std::vector<float> const samples = small_integers(4);
    std::vector<std::size_t> const of_workers = {1, 1};
    for (std::size_t total : {4u, 0u}) {
      check_steps(
          [&] {
            for (std::size_t rank = 0; rank < 2; ++rank) buffers[rank](all[rank].executor, of_workers, total);
            all.step(samples, model);
          },
          [&] {
            all.wait();
            for (std::size_t rank = 0; rank < 2; ++rank) all[rank].executor.synchronize();
          },
          10, Waits::after_each);
    }
  }
}

TEST_CASE("a caller who waits, or whose stream is full, is seen to" *
          doctest::skip(counters::under_sanitizer)) {
  auto const plan = plan_of(weir::ElementType::float32);
  TestModel<> const compute{plan.parameters()};
  auto const model = [&](auto& micro) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    compute(micro);
  };
  auto const recipe = [](std::size_t) { return accumulate_and_sum(1) | weir::Sgd{{.learning_rate = 0.125}}; };
  Ranks all(1, {.workers = 2, .buckets = plan}, recipe);
  std::vector<float> const samples(2);
  auto const step = [&] { all.step(samples, model); };
  CHECK(count(
            step, [&] { all.wait(); }, 10, Waits::at_the_end)
            .blocking_calls == 0);
  CHECK(count(
            step, [&] { all.wait(); }, 40, Waits::at_the_end)
            .blocking_calls > 0);
  auto const step_and_wait = [&] {
    step();
    all.wait();
  };
  CHECK(count(
            step_and_wait, [] {}, 10, Waits::at_the_end)
            .blocking_calls > 0);
}

TEST_CASE("a caller who enqueues steps is not held up by the workers") {
  // 16 steps take 48 of the 64 slots of the caller's stream.
  weir::HostExecutor executor;
  auto const plan = plan_of(weir::ElementType::float32);
  weir::StreamWorkerPool workers{executor, {.workers = 2, .buckets = plan}};
  auto weights = small_integers(plan.elements());
  auto sync = (accumulate_and_sum(1) | weir::Sgd{{.learning_rate = 0.125}}).on(workers, weir::view(weights));

  // Not a std::counting_semaphore, which can sleep through a release in libstdc++ 12.
  std::mutex mutex;
  std::condition_variable opened;
  bool is_open = false;
  std::atomic<int> calls = 0;
  TestModel<> const compute{plan.parameters()};
  auto const model = [&](auto& micro) {
    std::unique_lock lock(mutex);
    opened.wait(lock, [&] { return is_open; });
    lock.unlock();
    ++calls;
    compute(micro);
  };
  std::vector<float> const samples(2);
  for (int step = 0; step < 16; ++step) sync(workers(std::span<float const>(samples), model));
  CHECK(calls == 0);
  {
    std::lock_guard const lock(mutex);
    is_open = true;
  }
  opened.notify_all();
  sync.wait();
  CHECK(calls == 32);
}
