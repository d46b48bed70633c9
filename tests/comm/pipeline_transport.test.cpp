#include "weir/comm/pipeline_transport.hpp"

#include <doctest/doctest.h>

#include "weir/pipeline/transport/faulty.hpp"
#include "weir/pipeline/transport/threads.hpp"

static_assert(weir::PipelineTransport<weir::ThreadTransport>);
static_assert(weir::PipelineTransport<weir::FaultyTransport<weir::ThreadTransport>>);
static_assert(!weir::PipelineTransport<int>);

TEST_CASE("an edge is told with its ends and what it carries") {
  CHECK(text(weir::PipelineEdge{.from = 0, .to = 1}) == "edge 0 -> 1 (F)");
  CHECK(text(weir::PipelineEdge{.from = 3, .to = 2, .is_forward = false}) == "edge 3 -> 2 (B)");
  CHECK(text(weir::PipelineEdge{.from = 2, .to = 1, .is_weight_gradient = true, .stage = 3}) ==
        "edge 2 -> 1 (gradient of stage 3)");
  CHECK(text(weir::PipelineEdge{.from = 2, .to = 1, .is_weight_gradient = true, .stage = 3, .link = 1}) ==
        "edge 2 -> 1 (gradient of tied parameter 0 in stage 3)");
}
