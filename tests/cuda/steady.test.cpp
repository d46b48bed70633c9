// A bound recipe on CUDA streams: what a step calls. Also counts what a step takes from the heap.
#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/training.hpp"
#include "weir/comm/self.hpp"
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

namespace {

std::size_t threads() {
  using Directory = std::filesystem::directory_iterator;
  return static_cast<std::size_t>(std::distance(Directory("/proc/self/task"), Directory()));
}

/// What steps 3 to 10 may call: nothing that allocates, waits, makes or destroys.
void check_calls(stand_in::Calls calls) {
  for (char const* const allowed : {"cudaLaunchKernel", "cudaEventRecord", "cudaStreamWaitEvent",
                                    "cudaGetDevice", "cudaStreamIsCapturing"}) {
    calls.erase(allowed);
  }
  for (auto const& [function, count] : calls) FAIL_CHECK(function << " is called " << count << " times");
}

weir::BucketPlan plan_of(weir::ElementType type) {
  return weir::BucketPlan::by_bytes(
      {{.elements = 40, .type = type}, {.elements = 3, .type = type}, {.elements = 300, .type = type}}, 64,
      512);
}

template <class Element, class Recipe>
void check_on(CleanSession& session, weir::CudaExecutor const& executor, Recipe const& recipe,
              std::size_t workers, std::size_t m, bool is_partial = false) {
  auto const plan = plan_of(weir::element_type_of<Element>);
  stand_in::Trainer trainer(executor, weir::WorkerOptions{.workers = workers, .buckets = plan}, recipe);
  stand_in::EnqueuingModel<Element> const model{.parameters = plan.parameters(), .is_partial = is_partial};
  auto const samples = stand_in::samples_of(workers * m);
  for (int step = 0; step < 2; ++step) trainer.step(samples, model);
  trainer.sync().wait();

  stand_in::Calls const before = session.calls();
  stand_in::Inventory const held = session.inventory();
  std::size_t const on_default_stream = session.default_stream_operations();
  std::size_t const pageable = session.pageable_copies();
  std::size_t const had_threads = threads();
  std::size_t const heap = stand_in::heap_allocations();
  for (int step = 2; step < 10; ++step) trainer.step(samples, model);
  trainer.executor().stream();  // with launch threads: until all is enqueued
  CHECK(stand_in::heap_allocations() - heap == 0);
  check_calls(stand_in::calls_between(before, session.calls()));
  CHECK(session.inventory() == held);
  CHECK(session.pageable_copies() == pageable);
  CHECK(threads() == had_threads);
  CHECK(on_default_stream == 0);
  trainer.sync().wait();
  CHECK(session.default_stream_operations() == 0);
}

template <class Recipe>
void check(Recipe const& recipe, std::size_t workers, std::size_t m, bool launch_thread = false,
           bool is_partial = false) {
  CAPTURE(workers);
  CAPTURE(m);
  CAPTURE(launch_thread);
  CleanSession session({.seed = workers});
  check_on<float>(session, weir::CudaExecutor({.launch_thread = launch_thread}), recipe, workers, m,
                  is_partial);
}

auto sum(std::size_t m) {
  return weir::GradAccumulator{m} | weir::LocalAggregator{};
}

weir::Sgd const sgd{{.learning_rate = 0.125, .momentum = 0.5}};
weir::AdamW const adamw{{.learning_rate = 0.01}};
weir::Clip const clip{{.max_norm = 0.5}};

}  // namespace

TEST_CASE("steps 3 to 10 allocate nothing, wait for nothing, make nothing, and use no default stream") {
  weir::LossScale const loss_scale{{.initial = 8.0, .interval = 3}};
  weir::UsedParameters const used{weir::SelfCommunicator{}};
  weir::ShardedUpdate const sharded{weir::SelfCommunicator{}, adamw};
  for (bool const launch_thread : {false, true}) {
    for (std::size_t workers : {1u, 2u, 3u, 5u, 8u}) {
      std::size_t const m = workers % 3 + 1;
      check(sum(m) | sgd, workers, m, launch_thread);
      check(sum(m) | clip | adamw, workers, m, launch_thread);
      check(sum(m) | weir::WeightSync{weir::WeightPolicy::sequential, adamw}, workers, m, launch_thread);
      check(sum(m) | clip | weir::WeightSync{weir::WeightPolicy::overlap, sgd}, workers, m, launch_thread);
      check(sum(m) | weir::NonFinite{} | loss_scale | clip | sgd, workers, m, launch_thread);
      check(sum(m) | used | weir::WeightSync{weir::WeightPolicy::overlap, adamw}, workers, m, launch_thread,
            true);
      check(sum(m) | sharded, workers, m, launch_thread);
    }
  }
}

TEST_CASE("so do steps that write 16-bit copies of the weights") {
  using weir::bfloat16;
  for (bool const launch_thread : {false, true}) {
    for (std::size_t workers : {1u, 3u}) {
      for (std::size_t m : {1u, 3u}) {
        CAPTURE(workers);
        CAPTURE(m);
        CAPTURE(launch_thread);
        CleanSession session({.seed = workers});
        weir::CudaExecutor const executor({.launch_thread = launch_thread});
        weir::Buffer<bfloat16, weir::CudaExecutor> const copies(
            executor, plan_of(weir::ElementType::bfloat16).elements());
        check_on<bfloat16>(session, executor, sum(m) | adamw | weir::WeightCopy{copies.view()}, workers, m);
      }
    }
  }
}
