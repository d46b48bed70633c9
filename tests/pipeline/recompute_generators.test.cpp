// Stages with random numbers of their own draw the same ones when they are recomputed.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/core/error.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/pipeline_error.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

namespace {

struct Generator {
  std::uint64_t state;
  double draw() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return 0.5 + static_cast<double>(state >> 40) / (1 << 25);
  }
};

/// y = noise w x. What the last stage saves behind the noise is the error.
struct NoisyChain {
  std::vector<Generator> generators{{1}, {2}, {3}, {4}};

  Generator& generator(auto& micro) { return generators[micro.stage()]; }

  void forward(auto& micro) {
    double const noise = generators[micro.stage()].draw();
    double const y = noise * micro.weights(0)[0] * scalar_chain::Model::input(micro, 0);
    micro.saved()[0] = noise;
    if (micro.is_last_stage()) {
      micro.saved()[1] = y - micro.samples()[0].target;
    } else {
      micro.output()[0] = y;
    }
  }
  void backward(auto& micro) {
    double const noise = micro.saved()[0];
    double const gradient =
        noise * (micro.is_last_stage() ? micro.saved()[1] * micro.loss_scale() : micro.output_gradient()[0]);
    double const part = gradient * scalar_chain::Model::input(micro, 0);
    if (!micro.is_first_stage()) micro.input_gradient()[0] = gradient * micro.weights(0)[0];
    double& sum = micro.gradient(0)[0];
    sum = micro.accumulate() ? sum + part : part;
  }
};

struct Outcome {
  std::vector<double> weights = scalar_chain::initial_weights();
  std::vector<std::uint64_t> states = {};
};

Outcome train(char const* schedule, weir::Recompute recompute, std::size_t generator_bytes) {
  Outcome outcome;
  NoisyChain model;
  auto stages = scalar_chain::layouts(4);
  for (weir::StageLayout& stage : stages) {
    stage.saved = 2;
    stage.generator_bytes = generator_bytes;
  }
  weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
      weir::HostExecutor(),
      weir::find_schedule(schedule)->make_table({.workers = 4, .micro_batches = 8}),
      {.stages = stages, .recompute = recompute}};
  auto sync =
      (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(outcome.weights));
  for (int run = 0; run < 3; ++run) sync(pipe(scalar_chain::Batch(scalar_chain::samples), model));
  sync.drain();
  for (Generator const& generator : model.generators) outcome.states.push_back(generator.state);
  return outcome;
}

}  // namespace

TEST_CASE("a generator that a stage owns is put back for a recomputation, and goes on behind it") {
  Outcome const plain = train("1f1b", weir::Recompute::never, 0);
  for (char const* schedule : {"1f1b", "gpipe", "zb-h1"}) {
    for (auto const recompute : {weir::Recompute::always, weir::Recompute::except_last}) {
      CAPTURE(schedule);
      Outcome const outcome = train(schedule, recompute, sizeof(Generator));
      CHECK(same_bits(outcome.weights, plain.weights));
      CHECK(outcome.states == plain.states);
    }
  }
}

TEST_CASE("a generator for which there is no room is refused where its stage is recomputed") {
  try {
    train("1f1b", weir::Recompute::always, 4);
    FAIL("a generator was cut");
  } catch (weir::PipelineError const& error) {
    CHECK(std::string(error.what()).find("has a generator of 8 bytes, StageLayout::generator_bytes is 4") !=
          std::string::npos);
  }
}

TEST_CASE("a generator is refused where two workers are at a stage at once, before anything runs") {
  for (auto const recompute : {weir::Recompute::never, weir::Recompute::always}) {
    try {
      train("chimera", recompute, sizeof(Generator));
      FAIL("two workers drew from one generator");
    } catch (weir::ContractViolation const& error) {
      std::string const text = error.what();
      CHECK(text.find("generator(micro)") != std::string::npos);
      CHECK(text.find("micro.random(site)") != std::string::npos);
    }
  }
}
