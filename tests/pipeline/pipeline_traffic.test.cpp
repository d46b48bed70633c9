#include "weir/pipeline/pipeline_traffic.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "weir/host/executor.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/transport/threads.hpp"

using weir::detail::PipelineProgram;

TEST_CASE("an output is handed from one worker's lane to the next one's, and its buffer goes back") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 2});
  weir::PipelineOptions const options{.stages = {{.outputs = {{1}}}, {}}};
  weir::HostExecutor const executor;
  weir::detail::LaneMap const lanes(table);
  weir::detail::PipelineWatch watch(2, options.watchdog);
  PipelineProgram const program(table, lanes, {}, weir::Recompute::never);
  weir::detail::PipelineTraffic<weir::HostExecutor, float, weir::ThreadTransport> traffic(
      executor, table, lanes, options, watch, weir::ThreadTransport());
  traffic.allocate([](std::size_t) { return std::size_t{2}; });
  for (std::size_t lane = 0; lane < 2; ++lane) traffic.lane(lane).records.resize(2);

  auto const& first = program.worker(0)[0];
  auto const& second = program.worker(1)[0];
  auto& sent = traffic.lane(0).records[first.record].output;
  sent = traffic.take(*traffic.lane(0).to_next, 0, executor);
  std::byte const* const data = sent.data;
  traffic.send({}, program, first, 0, executor);
  CHECK(sent.home == nullptr);
  traffic.receive({}, program, second, 1, executor);
  auto& received = traffic.lane(1).records[second.record].input;
  CHECK(received.data == data);
  CHECK(received.tag == weir::MessageTag{});
  traffic.release(received, 1, executor);
  CHECK(received.home == nullptr);
}

TEST_CASE("a transport that holds too few messages is refused, with the number") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 2});
  weir::PipelineOptions const options{.stages = {{.outputs = {{1}}}, {}}};
  weir::detail::LaneMap const lanes(table);
  weir::detail::PipelineWatch watch(2, options.watchdog);
  struct Narrow : weir::ThreadTransport {
    std::uint32_t capacity(std::size_t) const { return 0; }
  };
  using Traffic = weir::detail::PipelineTraffic<weir::HostExecutor, float, Narrow>;
  weir::HostExecutor const executor;
  CHECK_THROWS_WITH_AS(Traffic(executor, table, lanes, options, watch, Narrow()),
                       "capacity: edge 0 -> 1 (F) holds 0 messages, this table needs 1",
                       weir::ContractViolation);
}
