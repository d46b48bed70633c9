#include "weir/pipeline/edge_codec.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/core/half.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

namespace {

std::vector<double> train(char const* name, weir::ScheduleShape const& shape, weir::EdgeCodec codec) {
  std::vector<double> weights = scalar_chain::initial_weights();
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  auto stages = scalar_chain::layouts(4);
  for (weir::StageLayout& stage : stages) stage.codec = codec;
  weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
      executor, weir::find_schedule(name)->make_table(shape), {.stages = stages}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  for (int run = 0; run < 3; ++run) sync(pipe(scalar_chain::Batch(scalar_chain::samples), model));
  sync.drain();
  return weights;
}

/// The same, written down, with what every stage hands on rounded.
template <class Narrow>
std::vector<double> written() {
  std::vector<double> weights = scalar_chain::initial_weights();
  auto const sent = [](double value) { return double{Narrow(static_cast<float>(value))}; };
  for (int run = 0; run < 3; ++run) {
    std::vector<double> const w = weights;
    for (auto const& [x, target] : scalar_chain::samples) {
      double input[5] = {x};
      for (std::size_t s = 0; s < 4; ++s) input[s + 1] = s == 3 ? w[s] * input[s] : sent(w[s] * input[s]);
      double gradient = input[4] - target;
      for (std::size_t s = 4; s-- > 0;) {
        weights[s] -= 0.25 * gradient * input[s] / 8;
        if (s > 0) gradient = sent(gradient * w[s]);
      }
    }
  }
  return weights;
}

}  // namespace

TEST_CASE("a pipeline rounds what goes from worker to worker, in both directions, and nothing else") {
  auto const check = [](std::vector<double> const& weights, std::vector<double> const& expected) {
    for (std::size_t s = 0; s < 4; ++s) CHECK(weights[s] == doctest::Approx(expected[s]).epsilon(1e-13));
  };
  weir::ScheduleShape const four{.workers = 4, .micro_batches = 8};
  check(train("1f1b", four, weir::EdgeCodec::half), written<weir::half>());
  check(train("1f1b", four, weir::EdgeCodec::bfloat16), written<weir::bfloat16>());
  CHECK(same_bits(train("1f1b", four, weir::EdgeCodec::half), train("gpipe", four, weir::EdgeCodec::half)));
  // On one worker nothing travels.
  auto const plain = train("1f1b", four, weir::EdgeCodec::none);
  CHECK(train("1f1b", four, weir::EdgeCodec::half) != plain);
  CHECK(same_bits(
      train("interleaved-1f1b", {.workers = 1, .micro_batches = 8, .chunks = 4}, weir::EdgeCodec::half),
      plain));
}

TEST_CASE("a pipeline says which messages are not sent as they are, and in which form") {
  auto const codecs = [](std::uint32_t workers) {
    auto stages = scalar_chain::layouts(4);
    stages[0].codec = weir::EdgeCodec::half;
    stages[2].codec = weir::EdgeCodec::bfloat16;
    weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
        weir::HostExecutor(),
        weir::find_schedule("interleaved-1f1b")
            ->make_table({.workers = workers, .micro_batches = 8, .chunks = 4 / workers}),
        {.stages = stages}};
    return pipe.codecs();
  };
  CHECK(codecs(4) == "0F: half, 1B: half, 2F: bfloat16, 3B: bfloat16");
  CHECK(codecs(1) == "");
}
