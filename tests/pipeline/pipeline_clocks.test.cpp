#include "weir/pipeline/pipeline_clocks.hpp"

#include <doctest/doctest.h>

#include "weir/host/executor.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

// On a device, and on several: tests/cuda/pipeline.test.cpp and tests/cuda/peer_transport.test.cpp.
TEST_CASE("on a host there is no clock to read: a run says its number") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 2});
  weir::HostExecutor const executor;
  weir::detail::LaneMap const lanes(table);
  weir::detail::PipelineClocks<weir::HostExecutor> clocks(
      executor, lanes, [&](std::uint32_t) -> weir::HostExecutor const& { return executor; });
  clocks.set(4);
  clocks.advance();
  CHECK(clocks.at(0) == nullptr);
}
