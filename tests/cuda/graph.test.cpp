#include "weir/cuda/graph.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/verbs.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/tensor/buffer.hpp"

static_assert(!std::is_copy_constructible_v<weir::CudaGraph>);
static_assert(std::is_nothrow_move_constructible_v<weir::CudaGraph>);

namespace {

using Memory = weir::Buffer<float, weir::CudaExecutor>;

/// Work on two streams: x is doubled on one, y gets x on the other, and both are added up.
struct TwoStreams {
  weir::CudaExecutor home;
  weir::CudaExecutor other = home.fork();
  weir::CudaEvent started = home.make_event();
  weir::CudaEvent copied = other.make_event();
  Memory x{home, 6};
  Memory y{home, 6};

  TwoStreams() { clear(); }

  void clear() const {
    fill(home, x.view(), 1.0f);
    fill(home, y.view(), 0.0f);
    home.synchronize();
  }

  void enqueue() const {
    home.record(started);
    other.wait(started);
    add_scaled(other, x.view(), 1.0f, y.view());
    other.record(copied);
    home.wait(copied);
    add_scaled(home, y.view(), 0.5f, x.view());
  }

  std::vector<float> result() const { return weir::to_host(home, x.view()); }
};

}  // namespace

TEST_CASE("what is captured does not run; 100 replays do what 100 calls do") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    CleanSession session({.seed = seed});
    TwoStreams const work;
    for (int i = 0; i < 100; ++i) work.enqueue();
    auto const expected = work.result();
    work.clear();

    std::size_t const had_run = session.operations_run();
    weir::CudaGraph const graph = weir::CudaGraph::capture(work.home, [&] { work.enqueue(); });
    session.run_all();
    CHECK(session.operations_run() == had_run);
    auto const before = session.calls();
    for (int i = 0; i < 100; ++i) graph.replay();
    auto const calls = stand_in::calls_between(before, session.calls());
    CHECK(calls.at("cudaGraphLaunch") == 100);
    CHECK(calls.count("cudaLaunchKernel") == 0);
    CHECK(work.result() == expected);
    CHECK(session.inventory().graphs == 1);  // the template is gone
  }
}

TEST_CASE("replays and calls follow each other on the stream") {
  CleanSession const session;
  TwoStreams const work;
  for (int i = 0; i < 6; ++i) work.enqueue();
  auto const expected = work.result();
  work.clear();
  weir::CudaGraph const graph = weir::CudaGraph::capture(work.home, [&] { work.enqueue(); });
  for (int i = 0; i < 3; ++i) {
    graph.replay();
    work.enqueue();
  }
  CHECK(work.result() == expected);
}

TEST_CASE("a graph of nothing replays") {
  CleanSession const session;
  weir::CudaExecutor const executor;
  auto const graph = weir::CudaGraph::capture(executor, [] {});
  CHECK_NOTHROW(graph.replay());
}

TEST_CASE("moving a graph moves the ownership") {
  CleanSession session;
  TwoStreams const work;
  auto first = weir::CudaGraph::capture(work.home, [&] { work.enqueue(); });
  auto second = weir::CudaGraph::capture(work.home, [&] { work.enqueue(); });
  CHECK(session.inventory().graphs == 2);
  second = std::move(first);
  CHECK(session.inventory().graphs == 1);
  weir::CudaGraph const third(std::move(second));
  third.replay();
  CHECK(work.result() == std::vector<float>(6, 1.5f));
}

TEST_CASE("a graph that is destroyed while a replay is pending lets it end") {
  CleanSession const session;
  TwoStreams const work;
  {
    auto const graph = weir::CudaGraph::capture(work.home, [&] { work.enqueue(); });
    graph.replay();
  }
  CHECK(work.result() == std::vector<float>(6, 1.5f));
}

TEST_CASE("what the function throws is rethrown, and both streams are as before") {
  CleanSession session;
  TwoStreams const work;
  auto const capture = [&](auto const& last) {
    return weir::CudaGraph::capture(work.home, [&] {
      work.home.record(work.started);
      work.other.wait(work.started);
      set_zero(work.other, work.y.view());
      last();
    });
  };
  CHECK_THROWS_AS(capture([] { throw std::runtime_error("no"); }), std::runtime_error);
  CHECK_THROWS_AS(capture([&] { work.home.synchronize(); }), weir::NotCapturable);
  CHECK_THROWS_AS(capture([&] { (void)weir::to_host(work.other, work.y.view()); }), weir::NotCapturable);
  CHECK(!work.home.is_capturing());
  CHECK(!work.other.is_capturing());
  CHECK(session.inventory().graphs == 0);
  CHECK(cudaGetLastError() == cudaSuccess);
  work.enqueue();
  CHECK(work.result() == std::vector<float>(6, 1.5f));
}

TEST_CASE("a stream that nobody waits for in the end is an error, and so is waiting for what is outside") {
  CleanSession session;
  TwoStreams const work;
  try {
    weir::CudaGraph::capture(work.home, [&] {
      work.home.record(work.started);
      work.other.wait(work.started);
      set_zero(work.other, work.y.view());
    });
    FAIL("nothing was thrown");
  } catch (weir::CudaError const& error) {
    CHECK(error.code() == cudaErrorStreamCaptureUnjoined);
  }
  work.other.record(work.copied);
  try {
    weir::CudaGraph::capture(work.home, [&] { work.home.wait(work.copied); });
    FAIL("nothing was thrown");
  } catch (weir::CudaError const& error) {
    CHECK(error.code() == cudaErrorStreamCaptureIsolation);
  }
  CHECK(!work.home.is_capturing());
  CHECK(!work.other.is_capturing());
  CHECK(session.inventory().graphs == 0);
}

TEST_CASE("a capture within a capture is refused, and the outer one goes on") {
  CleanSession const session;
  TwoStreams const work;
  auto const graph = weir::CudaGraph::capture(work.home, [&] {
    CHECK_THROWS_AS(weir::CudaGraph::capture(work.home, [] {}), weir::NotCapturable);
    work.enqueue();
  });
  graph.replay();
  CHECK(work.result() == std::vector<float>(6, 1.5f));
}

TEST_CASE("every call of a capture may fail: a CudaError, no graph is left, and the streams go on") {
  for (char const* const function : {"cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaGraphInstantiate",
                                     "cudaLaunchKernel", "cudaEventRecord", "cudaStreamWaitEvent"}) {
    CAPTURE(function);
    CleanSession session;
    TwoStreams const work;
    session.fail(function, 1, cudaErrorUnknown);
    CHECK_THROWS_AS(weir::CudaGraph::capture(work.home, [&] { work.enqueue(); }), weir::CudaError);
    CHECK(session.inventory().graphs == 0);
    if (std::string_view(function) == "cudaStreamEndCapture") {
      cudaGraph_t graph = nullptr;
      CHECK(cudaStreamEndCapture(work.home.stream(), &graph) == cudaSuccess);
      CHECK(cudaGraphDestroy(graph) == cudaSuccess);
      continue;
    }
    CHECK(!work.home.is_capturing());
    CHECK(!work.other.is_capturing());
    work.enqueue();
    CHECK(work.result() == std::vector<float>(6, 1.5f));
  }
}

TEST_CASE("a replay that fails is a CudaError") {
  CleanSession session;
  TwoStreams const work;
  auto const graph = weir::CudaGraph::capture(work.home, [&] { work.enqueue(); });
  session.fail("cudaGraphLaunch", 1, cudaErrorLaunchFailure);
  CHECK_THROWS_AS(graph.replay(), weir::CudaError);
  CHECK_NOTHROW(graph.replay());
}

TEST_CASE("a graph of another device than the current one") {
  CleanSession const session({.devices = 2});
  weir::CudaExecutor const executor({.device = 1});
  Memory const memory(executor, 2);
  auto const graph = weir::CudaGraph::capture(executor, [&] { fill(executor, memory.view(), 3.0f); });
  graph.replay();
  CHECK(weir::to_host(executor, memory.view()) == std::vector<float>(2, 3.0f));
  CHECK(weir::current_device() == 0);
}

TEST_CASE("a graph outlives a reset of its device without harm") {
  CleanSession const session;
  weir::CudaExecutor const executor;
  auto const graph = weir::CudaGraph::capture(executor, [] {});
  CHECK(cudaDeviceReset() == cudaSuccess);
}
