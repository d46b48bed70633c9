#include "weir/pipeline/pipeline_watch.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using weir::detail::PipelineStopped;
using weir::detail::PipelineWatch;
using weir::detail::WorkerWait;

TEST_CASE("the first failure stays, and whoever waits leaves") {
  PipelineWatch watch(2, 10s);
  weir::Operation const operation{weir::OperationKind::forward, {}, 1, 2};
  watch.enter(1, operation);
  try {
    throw std::runtime_error("first");
  } catch (...) {
    watch.fail_at(1);
  }
  watch.fail(std::make_exception_ptr(std::runtime_error("second")));
  CHECK(watch.is_stopped());
  CHECK_THROWS_AS(watch.wait(0, WorkerWait::weights, nullptr, [] { return false; }), PipelineStopped);
  try {
    std::rethrow_exception(watch.take_failure());
  } catch (weir::PipelineError const& error) {
    CHECK(std::string(error.what()) == "worker 1, 1F2: first");
  }
  CHECK(watch.take_failure() == nullptr);
  watch.reset();
  CHECK_FALSE(watch.is_stopped());
}

TEST_CASE("who waits runs the errand again and again") {
  PipelineWatch watch(2, 10s, 1us);
  int errands = 0;
  watch.set_errand(&errands, [](void* count, std::size_t worker) {
    CHECK(worker == 1);
    ++*static_cast<int*>(count);
  });
  watch.wait(1, WorkerWait::weights, nullptr, [] { return true; });
  CHECK(errands == 0);
  watch.wait(1, WorkerWait::weights, nullptr, [&] { return errands == 300; });
  CHECK(errands == 300);
}

TEST_CASE("a wait without progress anywhere tells what every worker is at") {
  PipelineWatch watch(3, 5ms);
  weir::PipelineEdge const edge{.from = 1, .to = 0, .is_forward = false};
  weir::Operation const backward{weir::OperationKind::backward, {}, 0, 4};
  weir::Operation const forward{weir::OperationKind::forward, {}, 1, 5};
  watch.enter(0, backward);
  watch.enter(1, forward);
  CHECK_THROWS_AS(watch.wait(0, WorkerWait::message, &edge, [] { return false; }), PipelineStopped);
  try {
    std::rethrow_exception(watch.take_failure());
  } catch (weir::PipelineStalled const& error) {
    CHECK(std::string(error.what()) ==
          "worker 0, 0B4: nothing has gone on for 5 ms; worker 0 at 0B4 waits for a message on edge 1 -> 0 "
          "(B); worker 1 at 1F5 is computing; worker 2 has finished");
  }
}

TEST_CASE("a wait that an error has ended is not told of the next operation") {
  PipelineWatch watch(2, 5ms);
  weir::PipelineEdge const edge{.from = 1, .to = 0};
  weir::Operation const forward{weir::OperationKind::forward, {}, 1, 5};
  watch.enter(0, forward);
  int asked = 0;
  auto const fails = [&]() -> bool {
    if (++asked > 1) throw std::runtime_error("no more");
    return false;
  };
  CHECK_THROWS_AS(watch.wait(0, WorkerWait::message, &edge, fails), std::runtime_error);
  watch.rest(0);
  watch.enter(0, forward);
  watch.enter(1, forward);
  CHECK_THROWS_AS(watch.wait(1, WorkerWait::weights, nullptr, [] { return false; }), PipelineStopped);
  try {
    std::rethrow_exception(watch.take_failure());
  } catch (weir::PipelineStalled const& error) {
    CHECK(std::string(error.what()).find("worker 0 at 1F5 is computing") != std::string::npos);
  }
}
