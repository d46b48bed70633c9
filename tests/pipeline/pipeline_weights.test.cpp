#include "weir/pipeline/pipeline_weights.hpp"

#include <doctest/doctest.h>

#include "weir/host/executor.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

TEST_CASE("the weights that were there before a run are not waited for; others are, until the run fails") {
  auto const table = weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = 4, .period = 2});
  weir::PipelineOptions const options{.stages = std::vector<weir::StageLayout>(4, {.parameters = {1}}),
                                      .watchdog = std::chrono::milliseconds(20)};
  weir::HostExecutor const executor;
  weir::detail::LaneMap const lanes(table);
  weir::detail::PipelineWatch watch(2, options.watchdog);
  weir::detail::PipelineUnits<weir::HostExecutor, float> units(
      [&](std::uint32_t) -> weir::HostExecutor const& { return executor; }, table, lanes, options,
      [](std::uint32_t) { return 2u; }, watch);
  weir::detail::PipelineWeights<weir::HostExecutor, float> weights(units, watch);
  weir::Operation operation{.stage = 3, .micro_batch = 2, .version = 0, .period = 1};
  weights.wait({}, {operation, 0, 3}, 1, executor);
  watch.enter(1, operation);
  operation.version = 1;
  CHECK_THROWS_AS(weights.wait({}, {operation, 0, 3}, 1, executor), weir::detail::PipelineStopped);
}
