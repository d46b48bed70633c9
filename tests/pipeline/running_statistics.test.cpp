// Stages that count what they see, as a batch normalisation does: a recomputation is not counted again.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/weight_store.hpp"
#include "weir/stage/recipe.hpp"

namespace {

/// y = w (x - mean), with the mean of the micro-batch in training, and the running one in an evaluation.
struct CentredChain {
  bool asks = true;  // whether it has seen this before
  std::vector<double> running = std::vector<double>(4, 0.25);
  std::vector<std::size_t> counts = std::vector<std::size_t>(4, 0);

  void forward(auto& micro) {
    std::size_t const stage = micro.stage();
    std::size_t const n = micro.samples().size();
    double mean = running[stage];
    if (!micro.is_evaluation()) {
      mean = 0;
      for (std::size_t i = 0; i < n; ++i)
        mean += scalar_chain::Model::input(micro, i) / static_cast<double>(n);
      if (!asks || !micro.is_recompute()) {
        running[stage] = 0.75 * running[stage] + 0.25 * mean;
        ++counts[stage];
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      double const x = scalar_chain::Model::input(micro, i) - mean;
      double const y = micro.weights(0)[0] * x;
      micro.saved()[2 * i] = x;
      if (micro.is_last_stage()) {
        double const error = micro.saved()[2 * i + 1] = y - micro.samples()[i].target;
        micro.loss(error * error / 2);
      } else {
        micro.output()[i] = y;
      }
    }
  }

  void backward(auto& micro) const {
    std::size_t const n = micro.samples().size();
    double sum = 0;
    double mean = 0;
    auto const gradient = [&](std::size_t i) {
      return micro.is_last_stage() ? micro.saved()[2 * i + 1] * micro.loss_scale() / static_cast<double>(n)
                                   : micro.output_gradient()[i];
    };
    for (std::size_t i = 0; i < n; ++i) {
      sum += gradient(i) * micro.saved()[2 * i];
      mean += gradient(i) / static_cast<double>(n);
    }
    for (std::size_t i = 0; i < n && !micro.is_first_stage(); ++i)
      micro.input_gradient()[i] = (gradient(i) - mean) * micro.weights(0)[0];
    double& total = micro.gradient(0)[0];
    total = micro.accumulate() ? total + sum : sum;
  }
};

struct Outcome {
  std::vector<double> weights = scalar_chain::initial_weights();
  CentredChain model = {};
  double loss = 0;
};

/// Three runs of four micro-batches of two samples, and an evaluation behind them.
Outcome train(char const* schedule, weir::Recompute recompute, bool asks = true) {
  Outcome outcome{.model = {.asks = asks}};
  auto const& traits = weir::find_schedule(schedule)->traits;
  auto const table = weir::find_schedule(schedule)->make_table(
      {.workers = 4 / traits.chunks, .micro_batches = 4, .period = traits.synchronous ? 0u : 2u});
  auto stages = scalar_chain::layouts(4);
  for (weir::StageLayout& stage : stages) stage.saved = 2;
  weir::InterleavedPipeline<weir::HostExecutor, double, weir::DoubleBuffer> pipe{
      weir::HostExecutor(), table, {.stages = stages, .local_batch = 2, .recompute = recompute}};
  auto sync =
      (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(outcome.weights));
  scalar_chain::Batch const samples(scalar_chain::samples);
  for (int run = 0; run < 3; ++run) sync(pipe(samples, outcome.model));
  outcome.loss = sync.evaluate(pipe(samples, outcome.model)).mean();
  return outcome;
}

}  // namespace

TEST_CASE("recomputing leaves running statistics as they are without, and so an evaluation") {
  for (char const* schedule : {"gpipe", "1f1b", "interleaved-1f1b", "zb-h1", "wpipe"}) {
    CAPTURE(schedule);
    Outcome const plain = train(schedule, weir::Recompute::never);
    CHECK(plain.model.counts == std::vector<std::size_t>(4, 12));
    for (auto const recompute : {weir::Recompute::always, weir::Recompute::except_last}) {
      Outcome const outcome = train(schedule, recompute);
      CHECK(same_bits(outcome.weights, plain.weights));
      CHECK(same_bits(outcome.model.running, plain.model.running));
      CHECK(outcome.model.counts == plain.model.counts);
      CHECK(outcome.loss == plain.loss);
    }
    Outcome const twice = train(schedule, weir::Recompute::always, false);
    CHECK(twice.model.counts == std::vector<std::size_t>(4, 24));
    CHECK(!same_bits(twice.model.running, plain.model.running));
    CHECK(twice.loss != plain.loss);
  }
}
