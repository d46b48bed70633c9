// Tables that nobody has thought of, run: whatever the workers, the order and the parts of backwards, the
// gradients are those of one worker.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "fault/sanitizers.hpp"
#include "pipeline/overstating_transport.hpp"
#include "pipeline/random_table.hpp"
#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

namespace {

using namespace std::chrono_literals;

/// One flush. Few bits are enough for all products and sums, so that no order rounds otherwise.
template <class Transport = weir::ThreadTransport>
std::vector<double> train(weir::TableView const& table, Transport transport = Transport(),
                          std::chrono::milliseconds watchdog = 60s) {
  std::vector<double> weights = scalar_chain::initial_weights();
  weights.resize(table.stages());
  scalar_chain::Model const model;
  weir::HostExecutor const executor({.threads = 1});
  auto const is_believed = belief_in(transport);
  weir::InterleavedPipeline<weir::HostExecutor, double, weir::Single, Transport> pipe{
      executor,
      table,
      {.stages = scalar_chain::layouts(table.stages()), .watchdog = watchdog},
      {},
      std::move(transport)};
  *is_believed = true;
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  sync(pipe(scalar_chain::Batch(scalar_chain::samples).first(table.micro_batches()), model));
  sync.drain();
  return weights;
}

std::vector<double> train_alone(weir::TableProperties const& shape) {
  return train(
      weir::find_schedule("interleaved-1f1b")
          ->make_table({.workers = 1, .micro_batches = shape.micro_batches, .chunks = shape.stages}));
}

}  // namespace

TEST_CASE("random valid tables give the gradients of one worker") {
  constexpr std::uint32_t count = UNDER_THREAD_SANITIZER || UNDER_ADDRESS_SANITIZER ? 2'000 : 10'000;
  std::vector<std::vector<double>> alone(5 * 5);
  for (std::uint32_t seed = 0; seed < count; ++seed) {
    CAPTURE(seed);
    RandomTable const random(seed);
    auto& expected = alone[random.properties.stages * 5 + random.properties.micro_batches];
    if (expected.empty()) expected = train_alone(random.properties);
    REQUIRE(same_bits(train(random.table()), expected));
  }
}

TEST_CASE("random tables run through with the least capacity, and one message less stalls them") {
  constexpr std::uint32_t count = UNDER_THREAD_SANITIZER || UNDER_ADDRESS_SANITIZER ? 200 : 1'000;
  std::uint32_t tight = 0;
  for (std::uint32_t seed = 0; seed < count; ++seed) {
    CAPTURE(seed);
    RandomTable const random(seed);
    auto const table = random.table();
    std::uint32_t const needed = weir::min_edge_capacity(table);
    REQUIRE(
        same_bits(train(table, weir::ThreadTransport({.capacity = needed})), train_alone(random.properties)));
    if (needed == 0) continue;
    REQUIRE_THROWS_AS(train(table, OverstatingTransport(needed - 1), 2ms), weir::PipelineStalled);
    ++tight;
  }
  CHECK(tight > count / 10);
}
