// The stand-in notices what it is there to notice: a step of which any one wait is left out.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

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

struct Run {
  std::size_t waits = 0;  // of all steps but the last
  std::size_t bound = 0;  // those before the first step
  std::vector<std::string> violations;
};

/// Three steps whose model goes on after its last report, and a reader of all results on the caller's stream.
template <class Recipe>
Run run(Recipe const& recipe, std::size_t workers, std::size_t m, std::size_t dropped) {
  auto const plan = weir::BucketPlan::per_parameter({{.elements = 40}, {.elements = 3}});
  stand_in::Session session({.seed = dropped + 1});
  Run result;
  {
    weir::CudaExecutor const executor;
    weir::Buffer<float, weir::CudaExecutor> const ends(executor, workers);
    weir::Buffer<float, weir::CudaExecutor> const seen(executor, 1);
    stand_in::Trainer trainer(executor, weir::WorkerOptions{.workers = workers, .buckets = plan}, recipe);
    stand_in::EnqueuingModel<> const model{.parameters = plan.parameters(), .ends = ends.data()};
    auto const samples = stand_in::samples_of(workers * m);
    trainer.sync().settle();
    std::size_t const before = session.waits();
    session.drop_wait(dropped);
    for (int step = 0; step < 3; ++step) {
      result.waits = session.waits() - before;
      trainer.step(samples, model);
      stand_in::enqueue(
          executor, "the caller",
          {stand_in::reads(trainer.view()), stand_in::reads(ends.view()), stand_in::writes(seen.data())},
          [] {});
    }
    session.drop_wait(0);
    trainer.sync().wait();
  }
  result.violations = session.take_violations();
  return result;
}

template <class Recipe>
void check_every_wait(Recipe const& recipe, std::size_t workers, std::size_t m) {
  Run const whole = run(recipe, workers, m, 0);
  CHECK(whole.violations.empty());
  REQUIRE(whole.waits > 2 * workers);
  for (std::size_t dropped = 1; dropped <= whole.waits; ++dropped) {
    CAPTURE(dropped);
    Run const broken = run(recipe, workers, m, dropped);
    REQUIRE(!broken.violations.empty());
    CHECK(broken.violations[0].find("does not wait for it") != std::string::npos);
  }
}

template <class Body>
std::vector<std::string> violations_of(Body const& body) {
  stand_in::Session session;
  body();
  session.run_all();
  return session.take_violations();
}

}  // namespace

TEST_CASE("a step that leaves out any one of its waits is told") {
  weir::Sgd const sgd{{.learning_rate = 0.125, .momentum = 0.5}};
  check_every_wait(weir::GradAccumulator{1} | weir::LocalAggregator{} | sgd, 1, 1);
  check_every_wait(weir::GradAccumulator{2} | weir::LocalAggregator{} | sgd, 3, 2);
  check_every_wait(weir::LocalAggregator{} | weir::Clip{{.max_norm = 0.5}} |
                       weir::WeightSync{weir::WeightPolicy::overlap, weir::AdamW{{}}},
                   2, 1);
}

TEST_CASE("two streams that write one place are told, by name") {
  auto const violations = violations_of([] {
    weir::CudaExecutor const one;
    weir::CudaExecutor const other;
    weir::Buffer<float, weir::CudaExecutor> const memory(one, 4);
    set_zero(one, memory.view());
    fill(other, memory.view(), 1.0f);
  });
  REQUIRE(violations.size() == 1);
  CHECK(violations[0] == "fill (stream 1) writes what fill (stream 0) writes, and does not wait for it");
}

TEST_CASE("a wait of the host orders, and so does an event") {
  CHECK(violations_of([] {
          weir::CudaExecutor const one;
          weir::CudaExecutor const other;
          weir::Buffer<float, weir::CudaExecutor> const memory(one, 4);
          set_zero(one, memory.view());
          one.synchronize();
          fill(other, memory.view(), 1.0f);
          auto const event = other.make_event();
          other.record(event);
          one.wait(event);
          fill(one, memory.view(), 2.0f);
        }).empty());
}

TEST_CASE("memory that nobody has written, was freed, or is not the device's is told") {
  auto const of_read = violations_of([] {
    weir::CudaExecutor const executor;
    weir::Buffer<float, weir::CudaExecutor> const memory(executor, 4);
    weir::Buffer<weir::Measurement, weir::CudaExecutor> const out(executor, 1);
    measure(executor, memory.view(), out.data());
  });
  REQUIRE(of_read.size() == 1);
  CHECK(of_read[0].find("reads memory that nobody has written") != std::string::npos);

  auto const of_host = violations_of([] {
    weir::CudaExecutor const executor;
    std::vector<float> values(4);
    set_zero(executor, weir::DeviceView<float>(values.data(), values.size()));
  });
  REQUIRE(of_host.size() == 1);
  CHECK(of_host[0].find("uses memory that is not the device's") != std::string::npos);

  auto const of_freed = violations_of([] {
    weir::PooledMemory pool;
    weir::CudaExecutor const executor({.memory = &pool});
    void* const memory = executor.allocate(16);
    executor.deallocate(memory, 16);
    set_zero(executor, weir::DeviceView<float>(static_cast<float*>(memory), 4));
  });
  REQUIRE(!of_freed.empty());
  CHECK(of_freed[0].find("uses memory that was freed") != std::string::npos);
}

TEST_CASE("what runs differs from seed to seed, and is the same for one") {
  auto const order = [](std::uint64_t seed) {
    stand_in::Session session({.seed = seed});
    std::vector<int> ran;
    std::vector<weir::CudaExecutor> streams(3, weir::CudaExecutor());
    for (auto& stream : streams) stream = weir::CudaExecutor();
    for (int i = 0; i < 12; ++i) {
      stand_in::enqueue(streams[static_cast<std::size_t>(i) % 3], "a note", {},
                        [&ran, i] { ran.push_back(i); });
    }
    session.run_all();
    return ran;
  };
  CHECK(order(4) == order(4));
  CHECK(order(4) != order(6));
}
