#include "weir/pipeline/transport/faulty.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <regex>
#include <string>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/fifo_order.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/stage/recipe.hpp"

namespace {

using namespace std::chrono_literals;
using Transport = weir::FaultyTransport<weir::ThreadTransport>;
using Pipe = weir::InterleavedPipeline<weir::HostExecutor, double, weir::GroupDoubleBuffer, Transport>;
scalar_chain::Batch const data(scalar_chain::samples);

struct Outcome {
  std::vector<double> weights;
  std::string failure;
  std::vector<double> after_reset;  // by a run without faults
};

weir::ScheduleTable in_order() {
  return weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = 8, .period = 2});
}

/// The second worker takes the micro-batches in the other order, so that its messages need their tags.
weir::ScheduleTable out_of_order() {
  weir::ScheduleTable table({.workers = 2, .stages = 4, .micro_batches = 8});
  for (std::uint16_t worker = 0; worker < 2; ++worker) {
    table.next_worker();
    for (auto const kind : {weir::OperationKind::forward, weir::OperationKind::backward}) {
      bool const ahead = kind == weir::OperationKind::forward;
      for (unsigned const chunk : {ahead ? 0u : 1u, ahead ? 1u : 0u}) {
        for (std::uint32_t i = 0; i < 8; ++i) {
          table.add({.kind = kind,
                     .stage = static_cast<std::uint16_t>(2 * chunk + worker),
                     .micro_batch = worker == 0 ? i : 7 - i});
        }
      }
    }
  }
  return table;
}

Outcome run(weir::Faults const& faults, std::chrono::milliseconds watchdog = 60s,
            weir::ScheduleTable const& table = in_order()) {
  Outcome outcome{.weights = scalar_chain::initial_weights(), .failure = {}, .after_reset = {}};
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  Pipe pipe{executor,
            table,
            {.stages = scalar_chain::layouts(4), .watchdog = watchdog},
            {},
            Transport(weir::ThreadTransport(), faults)};
  auto sync =
      (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(outcome.weights));
  sync(pipe(data, model));
  try {
    sync.drain();
  } catch (weir::PipelineError const& error) {
    outcome.failure = error.what();
    CHECK_NOTHROW(sync.drain());  // it was told once
    auto const kept = outcome.weights;
    auto const initial = scalar_chain::initial_weights();
    std::copy(initial.begin(), initial.end(), outcome.weights.begin());  // in place
    sync.restored();
    sync(pipe(data, model));
    sync.drain();
    outcome.after_reset = outcome.weights;
    std::copy(kept.begin(), kept.end(), outcome.weights.begin());
  }
  return outcome;
}

bool has(std::string const& text, char const* part) {
  return text.find(part) != std::string::npos;
}

/// "worker 1, 3B0: ..."
bool names_worker_and_operation(std::string const& failure) {
  return std::regex_search(failure, std::regex("^worker [01], [0-3](F|B|UPDATE)[0-7]: "));
}

}  // namespace

TEST_CASE("random delays change no bit") {
  auto const expected = run({}).weights;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    CHECK(same_bits(run({.seed = seed, .longest_delay = 20us}).weights, expected));
}

TEST_CASE("messages that are held back and overtaken, where their tags allow it, change no bit") {
  CHECK_FALSE(weir::fifo_order(out_of_order()).per_edge);
  for (auto const& table : {in_order(), out_of_order()}) {
    auto const expected = run({}, 60s, table).weights;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      auto const outcome = run({.seed = seed, .longest_delay = 20us, .overtaken = 3}, 60s, table);
      CHECK(outcome.failure == "");
      CHECK(same_bits(outcome.weights, expected));
    }
  }
  // On one edge: the first is held back, the second overtakes it.
  Transport transport(weir::ThreadTransport({.capacity = 2}), {.overtaken = 1});
  std::vector<weir::PipelineEdge> const edges{{.from = 0, .to = 1, .is_in_order = false}};
  transport.open(edges, 1, {});
  std::byte buffers[2];
  for (std::uint32_t j : {0u, 1u})
    CHECK(transport.try_send(0, {.tag = {.micro_batch = j}, .data = &buffers[j], .bytes = 1}));
  weir::PipelineMessage got;
  CHECK(transport.try_receive(0, {.micro_batch = 1}, got));
  CHECK(got.data == &buffers[1]);
  CHECK_FALSE(transport.try_receive(0, {.micro_batch = 1}, got));
  CHECK(transport.try_receive(0, {.micro_batch = 0}, got));
  CHECK(got.data == &buffers[0]);
}

TEST_CASE("where messages come in order none is held back") {
  Transport transport(weir::ThreadTransport({.capacity = 2}), {.overtaken = 1});
  std::vector<weir::PipelineEdge> const edges{{.from = 0, .to = 1}};
  transport.open(edges, 1, {});
  std::byte buffers[2];
  for (std::uint32_t j : {0u, 1u})
    CHECK(transport.try_send(0, {.tag = {.micro_batch = j}, .data = &buffers[j], .bytes = 1}));
  weir::PipelineMessage got;
  CHECK_THROWS_AS(transport.try_receive(0, {.micro_batch = 1}, got), weir::ContractViolation);
  CHECK(transport.try_receive(0, {.micro_batch = 0}, got));
  CHECK(got.data == &buffers[0]);
}

TEST_CASE("each fault ends in one exception that names worker and operation, and a reset repairs it") {
  auto const expected = run({}).weights;
  std::uint64_t const messages = 48;
  CHECK(run({.fail = messages}).failure == "");
  for (std::uint64_t number = 0; number < messages; ++number) {
    CAPTURE(number);
    auto const failed = run({.fail = number});
    CHECK(names_worker_and_operation(failed.failure));
    CHECK(has(failed.failure, "the transport was told to fail at "));
    CHECK(same_bits(failed.after_reset, expected));

    auto const doubled = run({.duplicate = number});
    CHECK(names_worker_and_operation(doubled.failure));
    CHECK((has(doubled.failure, "brought ") || has(doubled.failure, "twice")));
    CHECK(same_bits(doubled.after_reset, expected));
  }
}

TEST_CASE("so does a message that is lost, by its receiver or by the watchdog") {
  auto const expected = run({}).weights;
  for (std::uint64_t number = 0; number < 48; number += 5) {
    CAPTURE(number);
    auto const lost = run({.drop = number}, 1s);
    CHECK(has(lost.failure, "where ") == !has(lost.failure, "nothing has gone on for 1000 ms"));
    CHECK(names_worker_and_operation(lost.failure));
    CHECK(has(lost.failure, "edge "));
    CHECK(same_bits(lost.after_reset, expected));
  }
}

TEST_CASE("a message that comes twice is noticed in its run where messages need their tags, too") {
  auto const expected = run({}, 60s, out_of_order()).weights;
  for (std::uint64_t number = 0; number < 48; ++number) {
    CAPTURE(number);
    auto const doubled = run({.duplicate = number}, 60s, out_of_order());
    CHECK(names_worker_and_operation(doubled.failure));
    CHECK((has(doubled.failure, " twice") || has(doubled.failure, " and it was sent again")));
    CHECK(same_bits(doubled.after_reset, expected));
  }
}

TEST_CASE("the last message of an edge that comes twice ends the run that it belongs to, by its name") {
  weir::ScheduleTable const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 2});
  std::vector<double> weights{1, .5};
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double, weir::Single, Transport> pipe{
      executor,
      table,
      {.stages = scalar_chain::layouts(2)},
      {},
      Transport(weir::ThreadTransport(), {.duplicate = 3})};  // 1B1: no other is sent behind it
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  sync(pipe(data.first(2), model));
  CHECK_THROWS_WITH_AS(sync.drain(), "worker 0, 0B1: edge 1 -> 0 (B) brought 1B1 twice", weir::PipelineError);
  CHECK(sync.updates() == std::vector<std::uint64_t>(2, 1));
  sync.reset();  // all have been updated
  sync(pipe(data.first(2), model));
  CHECK_NOTHROW(sync.drain());
}

TEST_CASE("a worker that stalls for longer than the watchdog waits is noticed, a shorter one is not") {
  CHECK(has(run({.stall = 3, .stall_time = 2s}, 500ms).failure, "nothing has gone on for 500 ms"));
  CHECK(run({.stall = 3, .stall_time = 20ms}).failure == "");
}

TEST_CASE("a bit that was flipped on its way is seen in the weights") {
  auto const expected = run({}).weights;
  std::size_t differ = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto const outcome = run({.seed = seed, .flip = 4});
    CHECK(outcome.failure == "");
    differ += same_bits(outcome.weights, expected) ? 0 : 1;
  }
  CHECK(differ > 0);  // most bits of the buffer are padding
}
