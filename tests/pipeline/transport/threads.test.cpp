#include "weir/pipeline/transport/threads.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

namespace {

weir::PipelineMessage message(std::uint32_t micro_batch, std::byte* data = nullptr) {
  return {.tag = {.micro_batch = micro_batch}, .data = data, .bytes = 4};
}

weir::ThreadTransport open(bool is_in_order) {
  weir::ThreadTransport transport({.capacity = 2});
  std::vector<weir::PipelineEdge> const edges{{.from = 0, .to = 1, .is_in_order = is_in_order}};
  transport.open(edges, 1);
  return transport;
}

}  // namespace

TEST_CASE("an edge in order is a ring that hands buffers over and holds as many as it says") {
  auto transport = open(true);
  std::byte buffers[3];
  CHECK(transport.capacity(0) == 2);
  CHECK(transport.try_send(0, message(0, &buffers[0])));
  CHECK(transport.try_send(0, message(1, &buffers[1])));
  CHECK_FALSE(transport.try_send(0, message(2, &buffers[2])));
  weir::PipelineMessage got;
  CHECK(transport.try_receive(0, {.micro_batch = 0}, got));
  CHECK(got.data == &buffers[0]);
  CHECK(transport.try_send(0, message(2, &buffers[2])));
  CHECK_THROWS_WITH_AS(transport.try_receive(0, {.micro_batch = 2}, got),
                       "edge 0 -> 1 (F) brought 0F1 where 0F2 was due", weir::ContractViolation);
  transport.clear();
  CHECK_FALSE(transport.try_receive(0, {.micro_batch = 1}, got));
}

TEST_CASE("an edge out of order is searched for the tag, and does not hold one twice") {
  auto transport = open(false);
  weir::PipelineMessage got;
  CHECK(transport.try_send(0, message(0)));
  CHECK_THROWS_WITH_AS(transport.try_send(0, message(0)),
                       "edge 0 -> 1 (F) holds 0F0 already, and it was sent again", weir::ContractViolation);
  CHECK(transport.try_send(0, message(1)));
  CHECK(transport.try_receive(0, {.micro_batch = 1}, got));
  CHECK(got.tag.micro_batch == 1);
  CHECK_FALSE(transport.try_receive(0, {.micro_batch = 1}, got));
}

TEST_CASE("what is left over on an edge is told by its tag, but nothing of a later run") {
  for (bool const is_in_order : {true, false}) {
    auto transport = open(is_in_order);
    weir::PipelineMessage got;
    weir::PipelineMessage later = message(0);
    later.tag.run = 1;
    CHECK(!transport.left_over(0, 0));
    CHECK(transport.try_send(0, message(0)));
    CHECK(transport.try_send(0, later));
    CHECK(transport.left_over(0, 0) == weir::MessageTag{.micro_batch = 0});
    CHECK(transport.try_receive(0, {.micro_batch = 0}, got));
    CHECK(!transport.left_over(0, 0));
    CHECK(transport.left_over(0, 1) == later.tag);
  }
}

TEST_CASE("without room a send ends when the receiver stands at its message") {
  weir::ThreadTransport transport({.capacity = 0});
  std::vector<weir::PipelineEdge> const edges{{.from = 0, .to = 1}};
  transport.open(edges, 0);
  CHECK(transport.capacity(0) == 0);
  std::byte buffer[1];
  weir::PipelineMessage got;
  CHECK_FALSE(transport.try_send(0, message(0, &buffer[0])));
  CHECK_FALSE(transport.try_receive(0, {.micro_batch = 0}, got));
  CHECK_FALSE(transport.try_send(0, message(1, &buffer[0])));  // not this one
  CHECK(transport.try_send(0, message(0, &buffer[0])));
  CHECK_FALSE(transport.try_send(0, message(1, &buffer[0])));
  CHECK(transport.try_receive(0, {.micro_batch = 0}, got));
  CHECK(got.data == &buffer[0]);
  CHECK_FALSE(transport.try_receive(0, {.micro_batch = 1}, got));
  transport.clear();
  CHECK_FALSE(transport.try_send(0, message(1, &buffer[0])));
}

TEST_CASE("with the least capacity a table runs through, with less it is refused before it runs") {
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  for (char const* const name :
       {"sequential", "gpipe", "1f1b", "looped-bfs", "wpipe", "interleaved-1f1b", "zb-v", "dualpipe-v"}) {
    weir::ScheduleShape const shape{.workers = 2, .micro_batches = 8, .warmup_factor = 1, .period = 0};
    auto const& schedule = *weir::find_schedule(name);
    weir::ScheduleShape plain = shape;
    if (std::string(name) != "interleaved-1f1b") plain.warmup_factor = 0;
    auto const table = schedule.make_table(plain);
    std::uint32_t const needed = weir::min_edge_capacity(table);
    CAPTURE(name);
    std::uint32_t const stages = table.properties().stages;
    auto const run = [&](std::uint32_t capacity) {
      std::vector<double> weights(stages, 0.5);
      weir::InterleavedPipeline<weir::HostExecutor, double, weir::DoubleBuffer> pipe{
          executor,
          table,
          {.stages = scalar_chain::layouts(stages)},
          {},
          weir::ThreadTransport({.capacity = capacity})};
      auto sync =
          (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
      sync(pipe(scalar_chain::Batch(scalar_chain::samples), model));
      sync.drain();
      return pipe.take_loss().samples;
    };
    CHECK(run(needed) == 8);
    CHECK((needed == 0) == (std::string(name) == "sequential" || std::string(name) == "gpipe"));
    if (needed > 0) {
      CHECK_THROWS_WITH_AS(run(needed - 1),
                           ("capacity: edge 0 -> 1 (F) holds " + std::to_string(needed - 1) +
                            " messages, this table needs " + std::to_string(needed))
                               .c_str(),
                           weir::ContractViolation);
    }
  }
}
