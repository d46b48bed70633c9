// Once a recipe is bound, a step takes no memory and starts no thread. This program counts both: it replaces
// the functions of the C library, which stand below everything else. Under a sanitizer these belong to the
// sanitizer, and only `operator new` is counted.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <semaphore>
#include <string>
#include <vector>

#include "fault/sanitizers.hpp"
#include "fault/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
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
std::atomic<std::size_t> allocations = 0;
std::atomic<std::size_t> threads_started = 0;
}  // namespace

#if !(UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER)
#include <dlfcn.h>
#include <pthread.h>

// NOLINTBEGIN: the names are those of glibc
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  ++allocations;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  ++allocations;
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? 12 : 0;
}
int pthread_create(pthread_t* thread, pthread_attr_t const* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  ++threads_started;
  static auto const next = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  return next(thread, attributes, start, argument);
}
}
// NOLINTEND
#else
void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  auto const unit = static_cast<std::size_t>(alignment);
  if (void* const memory = std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
#endif

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
};

/// What happens in steps 3 to `steps`, all enqueued by a caller that waits at the end only.
template <class Model, class MakeRecipe>
Counts count(std::size_t ranks, weir::WorkerOptions const& options, std::size_t micro_batches,
             MakeRecipe const& recipe, std::size_t steps, Model const& model) {
  Ranks<MakeRecipe> all(ranks, options, recipe);
  std::vector<float> const samples =
      small_integers(ranks * options.workers * micro_batches * options.local_batch);
  for (int step = 0; step < 2; ++step) all.step(samples, model);
  all.wait();
  std::size_t const allocations_before = allocations;
  std::size_t const threads_before = threads_started;
  for (std::size_t step = 2; step < steps; ++step) all.step(samples, model);
  all.wait();
  return {allocations - allocations_before, threads_started - threads_before};
}

template <class Element = float, class MakeRecipe>
void check(MakeRecipe const& recipe, std::size_t ranks, std::size_t workers, std::size_t micro_batches,
           std::size_t steps = 10) {
  CAPTURE(ranks);
  CAPTURE(workers);
  CAPTURE(micro_batches);
  auto const plan = plan_of(weir::element_type_of<Element>);
  weir::WorkerOptions const options{.workers = workers, .buckets = plan, .local_batch = 2};
  Counts const counts =
      count(ranks, options, micro_batches, recipe, steps, TestModel<Element>{plan.parameters()});
  CHECK(counts.allocations == 0);
  CHECK(counts.threads == 0);
}

auto accumulate_and_sum(std::size_t micro_batches) {
  return GradAccumulator{micro_batches} | LocalAggregator{} | AllReduce{weir::SelfCommunicator{}};
}

}  // namespace

TEST_CASE("the counters count") {
  std::size_t const before = allocations;
  std::vector<int> const some(100);
  CHECK(some.size() == 100);
  CHECK(allocations > before);
#if !(UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER)
  std::size_t const threads_before = threads_started;
  weir::HostExecutor const executor;
  CHECK(threads_started == threads_before + 1);
#endif
}

TEST_CASE("steps 3 to 10 allocate nothing and start no thread, for any workers and micro-batches") {
  weir::Sgd const sgd{{.learning_rate = 0.125}};
  for (std::size_t workers = 1; workers <= 8; ++workers) {
    for (std::size_t m = 1; m <= 4; ++m)
      check([&](std::size_t) { return accumulate_and_sum(m) | sgd; }, 1, workers, m);
  }
}

TEST_CASE("steps 3 to 10 allocate nothing and start no thread, whatever the stages") {
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

TEST_CASE("a caller who enqueues steps is not held up by the workers") {
  // 16 steps take 48 of the 64 slots of the caller's stream.
  weir::HostExecutor executor;
  auto const plan = plan_of(weir::ElementType::float32);
  weir::StreamWorkerPool workers{executor, {.workers = 2, .buckets = plan}};
  auto weights = small_integers(plan.elements());
  auto sync = (accumulate_and_sum(1) | weir::Sgd{{.learning_rate = 0.125}}).on(workers, weir::view(weights));

  std::counting_semaphore<> may_run(0);
  std::atomic<int> calls = 0;
  TestModel<> const compute{plan.parameters()};
  auto const model = [&](auto& micro) {
    may_run.acquire();
    ++calls;
    compute(micro);
  };
  std::vector<float> const samples(2);
  for (int step = 0; step < 16; ++step) sync(workers(std::span<float const>(samples), model));
  CHECK(calls == 0);
  may_run.release(32);
  sync.wait();
  CHECK(calls == 32);
}
