// Pipelines that fail, go early, or get no memory: no thread and no byte is left, and the next one works.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fault/counting_resource.hpp"
#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/pipeline_error.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/transport/faulty.hpp"
#include "weir/stage/recipe.hpp"

namespace {

using namespace std::chrono_literals;
using Transport = weir::FaultyTransport<weir::ThreadTransport>;
using Pipe = weir::InterleavedPipeline<weir::HostExecutor, double, weir::DoubleBuffer, Transport>;
scalar_chain::Batch const data(scalar_chain::samples);

std::size_t threads_of_this_process() {
  std::filesystem::directory_iterator const tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

std::size_t threads_at_rest() {
  std::thread([] {}).join();  // with which a sanitizer starts one of its own
  std::size_t threads = threads_of_this_process();
  for (int looks = 0; looks < 3; ++looks) {
    std::this_thread::sleep_for(1ms);
    std::size_t const now = threads_of_this_process();
    if (now != threads) looks = 0;
    threads = now;
  }
  return threads;
}
/// The system lists a thread for a moment after it has been joined.
bool comes_to(std::size_t threads) {
  auto const end = std::chrono::steady_clock::now() + 5s;
  while (threads_of_this_process() > threads) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// The chain, of which one call throws.
struct Throwing {
  int stage = -1;
  std::size_t index = 0;
  bool in_forward = true;

  void forward(auto& micro) const {
    if (in_forward) happen(micro);
    scalar_chain::Model{}.forward(micro);
  }
  void backward(auto& micro) const {
    if (!in_forward) happen(micro);
    scalar_chain::Model{}.backward(micro);
  }
  void happen(auto& micro) const {
    if (static_cast<int>(micro.stage()) == stage && micro.index() == index)
      throw std::runtime_error("no more");
  }
};

/// Tables of four stages.
weir::ScheduleTable make_table(std::string const& name) {
  bool const has_chunks = name == "wpipe" || name == "zb-v";
  return weir::find_schedule(name)->make_table(
      {.workers = has_chunks ? 2u : 4u, .micro_batches = 8, .period = name == "wpipe" ? 2u : 0u});
}
char const* const schedules[] = {"1f1b", "zb-v", "chimera", "wpipe"};

enum class End : std::uint8_t { unbound, unused, destroyed, drained };

/// What becomes of two runs, after which everything goes. Returns whether one has failed.
bool run_and_go(std::string const& schedule, End end, weir::Faults const& faults,
                Throwing const& model = {}) {
  std::size_t const threads = threads_at_rest();
  bool has_failed = false;
  CountingResource memory;
  {
    std::vector<double> weights = scalar_chain::initial_weights();
    weir::HostExecutor const executor{{.memory = &memory}};
    // Only who waits for a lost message is to be given up soon.
    std::chrono::milliseconds const watchdog = faults.drop == weir::Faults::never ? 10s : 50ms;
    Pipe pipe{executor,
              make_table(schedule),
              {.stages = scalar_chain::layouts(4), .watchdog = watchdog},
              {},
              Transport(weir::ThreadTransport(), faults)};
    CHECK(memory.bytes() > 0);
    CHECK(threads_of_this_process() > threads);
    if (end != End::unbound) {
      auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25, .momentum = 0.5}})
                      .on(pipe, weir::view(weights));
      try {
        for (int run = 0; run < (end == End::unused ? 0 : 2); ++run) sync(pipe(data, model));
        if (end == End::drained) sync.drain();
      } catch (weir::PipelineError const&) {
        has_failed = true;
      }
    }
  }
  CHECK(memory.bytes() == 0);
  CHECK(comes_to(threads));
  return has_failed;
}

}  // namespace

TEST_CASE("a pipeline that goes, at rest or at work, leaves no thread and no byte") {
  for (char const* schedule : schedules) {
    CAPTURE(schedule);
    for (End const end : {End::unbound, End::unused, End::destroyed, End::drained}) {
      for (int repeat = 0; repeat < 5; ++repeat) CHECK_FALSE(run_and_go(schedule, end, {}));
      (void)run_and_go(schedule, end, {.longest_delay = 200us});
    }
  }
}

TEST_CASE("so does one that has failed, whether anybody was told or not") {
  for (char const* schedule : schedules) {
    CAPTURE(schedule);
    for (End const end : {End::drained, End::destroyed}) {
      for (int stage = 0; stage < 4; ++stage) {
        for (bool const in_forward : {true, false}) {
          bool const has_failed = run_and_go(schedule, end, {}, {stage, 1, in_forward});
          if (end == End::drained) CHECK(has_failed);
        }
      }
      for (std::uint64_t const number : {0u, 5u, 17u}) {
        for (weir::Faults const& faults : {weir::Faults{.fail = number}, weir::Faults{.drop = number},
                                           weir::Faults{.duplicate = number}}) {
          bool const has_failed = run_and_go(schedule, end, faults);
          if (end == End::drained) CHECK(has_failed);
        }
      }
    }
  }
}

TEST_CASE("however often a run fails, a pipeline takes no more memory or threads, and none of its buffers") {
  for (char const* schedule : schedules) {
    CAPTURE(schedule);
    auto const table = make_table(schedule);
    auto const initial = scalar_chain::initial_weights();
    std::vector<double> weights = initial;
    CountingResource memory;
    weir::HostExecutor const executor{{.memory = &memory}};
    // With the least room a lost buffer would be missed.
    weir::ThreadTransport tight({.capacity = weir::min_edge_capacity(table)});
    Pipe pipe{executor, table, {.stages = scalar_chain::layouts(4)}, {}, Transport(std::move(tight), {})};
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
    Throwing const sound;
    auto const train = [&] {
      std::copy(initial.begin(), initial.end(), weights.begin());  // in place
      sync.restored();
      sync(pipe(data, sound));
      sync.drain();
      return weights;
    };
    auto const expected = train();
    std::size_t const calls = memory.calls();
    std::size_t const threads = threads_at_rest();
    for (int stage = 0; stage < 4; ++stage) {
      std::size_t const last = table.properties().synchronous ? 7 : table.properties().period - 1;
      for (std::size_t const index : {std::size_t{0}, last}) {
        for (bool const in_forward : {true, false}) {
          Throwing const model{stage, index, in_forward};
          sync(pipe(data, model));
          CHECK_THROWS_AS(sync.drain(), weir::PipelineError);
          CHECK(same_bits(train(), expected));
        }
      }
    }
    CHECK(memory.calls() == calls);
    CHECK(threads_of_this_process() == threads);
  }
}

namespace {

struct BindCase {
  char const* schedule;
  weir::PipelineOptions options = {};
};

Pipe make_pipe(weir::HostExecutor const& executor, BindCase const& the) {
  weir::PipelineOptions options = the.options;
  options.stages = scalar_chain::layouts(4);
  return {executor, make_table(the.schedule), options, {}, Transport(weir::ThreadTransport(), {})};
}

/// Binds and runs, with an allocator that fails at its `call`-th call; then again, with one that does not.
/// True if it did not come to that.
template <class Optimizer>
bool survives(BindCase const& the, Optimizer const& optimizer, std::size_t call, bool for_good,
              std::vector<double> const& expected) {
  CAPTURE(call);
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  std::size_t const threads = threads_at_rest();
  std::size_t const bytes = memory.bytes();
  std::vector<double> weights = scalar_chain::initial_weights();
  scalar_chain::Model const model;
  auto const train = [&] {
    auto pipe = make_pipe(executor, the);
    auto sync = (weir::LocalAggregator{} | optimizer).on(pipe, weir::view(weights));
    sync(pipe(data, model));
    sync.drain();
  };
  memory.fail_at(call, for_good);
  bool survived = false;
  try {
    train();
    survived = true;
  } catch (weir::OutOfMemory const& error) {
    CHECK(error.bytes() > 0);
    CHECK(std::string(error.what()).find(std::to_string(error.bytes()) + " bytes") != std::string::npos);
    CHECK(same_bits(weights, scalar_chain::initial_weights()));
    CHECK(memory.bytes() == bytes);
    CHECK(comes_to(threads));
    memory.fail_at(0);
    train();
  }
  CHECK(same_bits(weights, expected));
  CHECK(memory.bytes() == bytes);
  CHECK(comes_to(threads));
  return survived;
}

template <class Optimizer>
std::size_t fail_everywhere(BindCase const& the, Optimizer const& optimizer) {
  CAPTURE(the.schedule);
  std::vector<double> expected = scalar_chain::initial_weights();
  {
    scalar_chain::Model const model;
    weir::HostExecutor const executor;
    auto pipe = make_pipe(executor, the);
    auto sync = (weir::LocalAggregator{} | optimizer).on(pipe, weir::view(expected));
    sync(pipe(data, model));
    sync.drain();
  }
  std::size_t call = 1;
  while (!survives(the, optimizer, call, false, expected)) REQUIRE(++call < 1000);
  for (std::size_t i = 1; i < call; ++i) CHECK_FALSE(survives(the, optimizer, i, true, expected));
  return call - 1;
}

}  // namespace

TEST_CASE("making and binding a pipeline fails at any of its allocations without a trace") {
  CHECK(fail_everywhere({.schedule = "1f1b"}, weir::Sgd{{.learning_rate = 0.25}}) >= 8);
  CHECK(fail_everywhere({.schedule = "zb-v"}, weir::Sgd{{.learning_rate = 0.25, .momentum = 0.5}}) >= 8);
  CHECK(fail_everywhere({.schedule = "chimera", .options = {.recompute = weir::Recompute::always}},
                        weir::AdamW{{.learning_rate = 0.01}}) >= 8);
  CHECK(fail_everywhere({.schedule = "wpipe"}, weir::AdamW{{.learning_rate = 0.01}}) >= 8);
}
