// A bound recipe on CUDA streams: what a step calls. Also counts what a step takes from the heap.
#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/training.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

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

template <class Recipe>
void check(Recipe const& recipe, std::size_t workers, std::size_t m, bool launch_thread = false) {
  CAPTURE(workers);
  CAPTURE(m);
  CAPTURE(launch_thread);
  CleanSession session({.seed = workers});
  {
    auto const plan =
        weir::BucketPlan::by_bytes({{.elements = 40}, {.elements = 3}, {.elements = 300}}, 64, 512);
    stand_in::Trainer trainer(weir::CudaExecutor({.launch_thread = launch_thread}),
                              weir::WorkerOptions{.workers = workers, .buckets = plan}, recipe);
    stand_in::EnqueuingModel<> const model{.parameters = plan.parameters()};
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
}

auto sum(std::size_t m) {
  return weir::GradAccumulator{m} | weir::LocalAggregator{};
}

}  // namespace

TEST_CASE("steps 3 to 10 allocate nothing, wait for nothing, make nothing, and use no default stream") {
  weir::Sgd const sgd{{.learning_rate = 0.125, .momentum = 0.5}};
  weir::AdamW const adamw{{.learning_rate = 0.01}};
  weir::Clip const clip{{.max_norm = 0.5}};
  for (bool const launch_thread : {false, true}) {
    for (std::size_t workers : {1u, 2u, 8u}) {
      for (std::size_t m : {1u, 3u}) {
        check(sum(m) | sgd, workers, m, launch_thread);
        check(sum(m) | clip | adamw, workers, m, launch_thread);
        check(sum(m) | weir::WeightSync{weir::WeightPolicy::sequential, adamw}, workers, m, launch_thread);
        check(sum(m) | clip | weir::WeightSync{weir::WeightPolicy::overlap, sgd}, workers, m, launch_thread);
      }
    }
  }
}
