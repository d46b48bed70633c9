// Failures of CUDA while a recipe is bound and while it runs: each is an error with a name, and nothing is
// left.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/bits.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/training.hpp"
#include "weir/cuda/pooled_memory.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

weir::BucketPlan const plan =
    weir::BucketPlan::by_bytes({{.elements = 40}, {.elements = 3}, {.elements = 30}}, 64, 256);
weir::WorkerOptions const two_workers{.workers = 2, .buckets = plan};

auto recipe() {
  return weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::Clip{{.max_norm = 0.5}} |
         weir::WeightSync{weir::WeightPolicy::overlap, weir::AdamW{{.learning_rate = 0.01}}};
}
using Recipe = decltype(recipe());
using Trainer = stand_in::Trainer<weir::CudaExecutor, Recipe>;

stand_in::EnqueuingModel<> const model{.parameters = plan.parameters()};
std::vector<float> const four_samples = stand_in::samples_of(4);  // outlives every launch thread

/// What `error` and what caused it say.
std::string text_of(std::exception const& error) {
  return error.what();
}

}  // namespace

TEST_CASE(
    "too little memory at any allocation of a recipe: OutOfMemory with the bytes, and nothing is left") {
  for (char const* const function : {"cudaMalloc", "cudaMallocAsync"}) {
    CAPTURE(function);
    std::size_t failed = 0;
    for (std::size_t nth = 1;; ++nth) {
      CAPTURE(nth);
      CleanSession session;
      weir::PooledMemory pool;
      weir::CudaOptions options;
      if (std::string(function) == "cudaMallocAsync") options.memory = &pool;
      weir::CudaExecutor const executor(options);
      stand_in::Inventory const before = session.inventory();
      session.fail(function, nth, cudaErrorMemoryAllocation);
      bool is_whole = true;
      try {
        Trainer trainer(executor, two_workers, recipe());
        trainer.step(four_samples, model);
        trainer.sync().wait();
      } catch (weir::OutOfMemory const& error) {
        is_whole = false;
        CHECK(error.bytes() > 0);
      }
      CHECK(session.has_failed() == !is_whole);
      session.run_all();
      CHECK(session.inventory() == before);
      if (is_whole) break;
      ++failed;
      REQUIRE(nth < 200);
    }
    CHECK(failed > 10);
  }
}

TEST_CASE("a resize that has too little memory changes nothing, and steps go on with the same bits") {
  auto const samples = stand_in::samples_of(4);
  std::vector<float> expected;
  {
    CleanSession const session;
    Trainer trainer(weir::CudaExecutor(), two_workers, recipe());
    for (int step = 0; step < 4; ++step) trainer.step(samples, model);
    expected = trainer.weights();
  }
  for (std::size_t nth = 1;; ++nth) {
    CAPTURE(nth);
    CleanSession session;
    Trainer trainer(weir::CudaExecutor(), two_workers, recipe());
    for (int step = 0; step < 2; ++step) trainer.step(samples, model);
    trainer.sync().wait();
    session.fail("cudaMalloc", nth, cudaErrorMemoryAllocation);
    stand_in::Inventory const before = session.inventory();
    try {
      trainer.sync().resize({.workers = 4, .micro_batches = 2, .local_batch = 1});
      break;
    } catch (weir::OutOfMemory const&) {
    }
    CHECK(session.inventory() == before);
    CHECK(trainer.sync().layout().workers == 2);
    for (int step = 0; step < 2; ++step) trainer.step(samples, model);
    CHECK(same_bits(trainer.weights(), expected));
    REQUIRE(nth < 100);
  }
}

TEST_CASE("any call that fails while a recipe is bound is a CudaError that names it, and nothing is left") {
  std::size_t failed = 0;
  for (std::size_t nth = 1;; ++nth) {
    CAPTURE(nth);
    CleanSession session;
    weir::CudaExecutor const executor;
    stand_in::Inventory const before = session.inventory();
    session.fail("", nth, cudaErrorUnknown);
    bool is_over = false;
    try {
      Trainer const trainer(executor, two_workers, recipe());
      is_over = !session.has_failed();
      session.fail("", 0, cudaSuccess);
    } catch (weir::CudaError const& error) {
      CHECK(error.code() == cudaErrorUnknown);
      CHECK(std::string(error.what()).find(": cudaErrorUnknown") != std::string::npos);
      ++failed;
    }
    session.run_all();
    CHECK(session.inventory() == before);
    if (is_over) break;
    REQUIRE(nth < 3000);
  }
  CHECK(failed > 100);
}

TEST_CASE("any call that fails in a step ends it with an error that names the code, and nothing hangs") {
  for (bool const launch_thread : {false, true}) {
    CAPTURE(launch_thread);
    std::size_t failed = 0;
    for (std::size_t nth = 1;; ++nth) {
      CAPTURE(nth);
      stand_in::Session session;
      bool is_over = false;
      {
        Trainer trainer(weir::CudaExecutor({.launch_thread = launch_thread}), two_workers, recipe());
        trainer.step(four_samples, model);
        trainer.sync().wait();
        session.fail("", nth, cudaErrorUnknown);
        try {
          trainer.step(four_samples, model);
          trainer.sync().wait();
          is_over = !session.has_failed();
        } catch (std::exception const& error) {
          CHECK(text_of(error).find("cudaErrorUnknown") != std::string::npos);
          ++failed;
        }
        session.fail("", 0, cudaSuccess);
      }
      session.run_all();
      CHECK(session.inventory() == stand_in::Inventory{});
      if (is_over) break;
      REQUIRE(nth < 3000);
    }
    CHECK(failed > 50);
  }
}

TEST_CASE("a model that throws: WorkerError, nothing of the step is applied, and the next step runs") {
  for (bool const launch_thread : {false, true}) {
    CleanSession const session;
    Trainer trainer(weir::CudaExecutor({.launch_thread = launch_thread}), two_workers, recipe());
    auto const samples = stand_in::samples_of(4);
    trainer.step(samples, model);
    auto const before = trainer.weights();
    auto const throws = [&](auto& micro) {
      if (micro.worker() == 1 && micro.index() == 1) throw std::runtime_error("the model is broken");
      model(micro);
    };
    trainer.step(samples, throws);
    try {
      trainer.sync().wait();
      FAIL("nothing was thrown");
    } catch (weir::WorkerError const& error) {
      CHECK(error.worker() == 1);
      CHECK(error.micro_batch() == 1);
      CHECK(text_of(error).find("the model is broken") != std::string::npos);
    }
    CHECK(same_bits(trainer.weights(), before));
    trainer.step(samples, model);
    CHECK(!same_bits(trainer.weights(), before));
    CHECK(trainer.sync().steps() == 2);
  }
}

TEST_CASE("a recipe outlives a reset of its device, or the driver, without harm") {
  for (bool const by_reset : {true, false}) {
    for (bool const launch_thread : {false, true}) {
      CAPTURE(by_reset);
      CAPTURE(launch_thread);
      CleanSession session;
      {
        Trainer trainer(weir::CudaExecutor({.launch_thread = launch_thread}), two_workers, recipe());
        trainer.step(four_samples, model);
        trainer.executor().stream();
        if (by_reset) {
          CHECK(cudaDeviceReset() == cudaSuccess);
        } else {
          session.set_driver(stand_in::Driver::unloading);
        }
      }
      session.set_driver(stand_in::Driver::present);
      CHECK(cudaDeviceReset() == cudaSuccess);
    }
  }
}

TEST_CASE("weights in memory of the host, or of another device, are seen") {
  stand_in::Session session({.devices = 2});
  {
    weir::CudaExecutor const executor({.device = 1});
    weir::CudaExecutor const other;
    weir::Buffer<float, weir::CudaExecutor> const weights(other, 4);
    set_zero(executor, weights.view());
  }
  auto const violations = session.take_violations();
  REQUIRE(violations.size() == 1);
  CHECK(violations[0].find("uses memory of another device") != std::string::npos);
}
