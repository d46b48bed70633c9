#include "weir/pipeline/pipeline_channels.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "weir/host/executor.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/zb_v.hpp"

using Channels = weir::detail::PipelineChannels<weir::HostExecutor, float>;

TEST_CASE("neighbours on two workers have an edge for outputs and one for gradients, on one worker none") {
  auto const table = weir::make_table<weir::ZbV>({.workers = 2, .micro_batches = 4});
  weir::detail::LaneMap const lanes(table);
  weir::StageLayout const stage{.outputs = {{3}, {.elements = 5, .has_gradient = false}}};
  weir::PipelineOptions const options{.stages = {stage, stage, stage, {}}, .local_batch = 4};
  Channels channels(lanes, options);
  CHECK(channels.edges().size() == 4);  // 0 -> 1 and back, of each kind
  CHECK(channels.forward(0)->edge != Channels::no_edge);
  CHECK(channels.forward(1)->edge == Channels::no_edge);  // stages 1 and 2 are on worker 1
  CHECK(channels.forward(3) == nullptr);
  CHECK(channels.backward(0) == nullptr);
  CHECK(channels.backward(1)->to == 0);
  CHECK(channels.outputs(0).bytes == 64 + 128);
  CHECK(channels.gradients(0).bytes == 64);
}

TEST_CASE("a channel has buffers for the edge, the receiver, and the sender's hand") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 4});
  weir::detail::LaneMap const lanes(table);
  weir::PipelineOptions const options{.stages = {{.outputs = {{1}}}, {}}};
  Channels channels(lanes, options);
  weir::HostExecutor const executor;
  channels.allocate([&](std::uint32_t) -> weir::HostExecutor const& { return executor; }, options.stages,
                    [](std::size_t) { return std::size_t{3}; }, [](std::size_t) { return std::size_t{2}; });
  for (int i = 0; i < 3 + 2 + 1; ++i) CHECK(channels.forward(0)->pool->take() != nullptr);
  CHECK_THROWS_AS(channels.forward(0)->pool->take(), weir::ContractViolation);
}
