#include "weir/stage/step_runner.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "support/bound_context.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"

namespace {

using E = weir::HostExecutor;

/// Counts what it is told.
struct Told {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  struct Counts {
    std::atomic<int> begun = 0, ended = 0, cancelled = 0, aborted = 0;
  };
  Counts* counts;

  struct Bound {
    Counts* counts;
    void begin_step(E const&, weir::StepInfo const&) { ++counts->begun; }
    void end_step(E const&, weir::StepInfo const&) { ++counts->ended; }
    void cancel_step(E const&) { ++counts->cancelled; }
    void abort() { ++counts->aborted; }
    weir::DenseGradient<E> operator()(weir::DenseGradient<E> const& gradient) const { return gradient; }
  };
  auto on(weir::RecipeContext<E> const&) const { return Bound{counts}; }
};

using Runner = weir::StepRunner<E, float, weir::LocalAggregator<>, Told, weir::Sgd>;

/// A source in a few lines: two workers, each a stream, that report both buckets in their own order.
struct Launch {
  E const (&workers)[2];
  std::vector<float>& values;  // by worker and bucket
  int failing = -1;            // this worker fails before its second report

  void start(weir::GradientSink<E>& sink, weir::StepInfo const& step) const {
    for (std::size_t worker = 0; worker < 2; ++worker) {
      workers[worker].submit([&sink, step, worker, &memory = values,
                              fails = failing == static_cast<int>(worker)](E const& point) {
        for (std::size_t turn = 0; turn < 2; ++turn) {
          std::size_t const bucket = (worker + turn) % 2;
          if (turn == 1 && fails) sink.failed(worker, std::make_exception_ptr(std::runtime_error("source")));
          sink.ready(BoundContext::report(point, &memory[2 * worker + bucket], bucket, worker, step));
        }
        sink.finished(point, worker, step);
      });
    }
  }
};

struct Fixture {
  explicit Fixture()
      : runner(bound.context(), {weir::LocalAggregator{}, Told{&counts}, weir::Sgd{{.learning_rate = 1.0}}},
               {}) {
    runner.lay_out(runner.make_reports(2));
  }

  void start(std::uint64_t number, int failing = -1) {
    values = {1.0f, 2.0f, 3.0f, 4.0f};
    runner.start(Launch{workers, values, failing},
                 {.number = number, .samples = 7, .local_batch = 7, .total_micro_batches = 2});
  }

  BoundContext bound;
  Told::Counts counts;
  std::vector<float> values;
  E const workers[2] = {bound.home.fork(), bound.home.fork()};
  Runner runner;
};

}

TEST_CASE("a step is begun, applied and ended, and counted when it has taken effect") {
  Fixture fixture;
  for (std::uint64_t step = 0; step < 3; ++step) {
    fixture.start(step);
    fixture.runner.finish();
  }
  CHECK(fixture.counts.begun == 3);
  CHECK(fixture.counts.ended == 3);
  CHECK(fixture.counts.cancelled == 0);
  CHECK(fixture.runner.steps() == 3);
  CHECK(fixture.runner.consumed() == 21);
  // Bucket 0 is parameter 1: 1 + 3; bucket 1: 2 + 4.
  CHECK(fixture.bound.flat == std::vector<float>{-18.0f, -12.0f});
}

TEST_CASE("a step that fails is cancelled, aborts once, and is not counted") {
  Fixture fixture;
  fixture.start(0, 0);
  fixture.runner.finish();
  CHECK(fixture.runner.has_failed());
  CHECK(fixture.counts.aborted == 1);
  CHECK(fixture.counts.cancelled == 1);
  CHECK(fixture.counts.ended == 0);
  CHECK(fixture.runner.steps() == 0);
  CHECK(fixture.runner.consumed() == 0);
  CHECK_THROWS_AS(std::rethrow_exception(fixture.runner.take_failure()), std::runtime_error);
  CHECK_FALSE(fixture.runner.has_failed());
  fixture.runner.forget_failure();  // it may be torn: worker 1 may have been late
  fixture.start(0);
  fixture.runner.finish();
  CHECK(fixture.runner.steps() == 1);
}

TEST_CASE("the position of a run can be set") {
  Fixture fixture;
  fixture.runner.set_position(40, 500);
  fixture.start(40);
  fixture.runner.finish();
  CHECK(fixture.runner.steps() == 41);
  CHECK(fixture.runner.consumed() == 507);
}

TEST_CASE("the caller's stream goes on after the stages' stream where they are joined") {
  Fixture fixture;
  int order = 0, stages = 0, caller = 0;
  for (int round = 0; round < 50; ++round) {
    fixture.bound.stream.submit([&] { stages = ++order; });
    fixture.runner.join();
    fixture.bound.home.submit([&] { caller = ++order; });
    fixture.bound.home.synchronize();
    CHECK(caller == stages + 1);
  }
}
