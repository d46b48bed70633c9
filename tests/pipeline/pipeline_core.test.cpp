#include "weir/pipeline/pipeline_core.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "support/bits.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

namespace {

/// Four stages y = w x c, where c is a second tensor that travels from stage 0 on and has no gradient. Stage
/// 2 adds what stage 0 gave, stage 3 what stages 0 and 1 gave; stages 0 and 3 share their weight.
struct Model {
  void forward(auto& micro) const {
    for (std::size_t i = 0; i < micro.samples().size(); ++i) {
      double const y = micro.weights(0)[0] * sum_of_inputs(micro, i) * factor(micro, i);
      if (micro.is_last_stage()) {
        micro.saved()[i] = y - 0.5;
      } else {
        micro.output(0)[i] = y;
        micro.output(1)[2 * i] = micro.output(1)[2 * i + 1] = factor(micro, i);
      }
    }
  }

  void backward(auto& micro) const {
    std::size_t const n = micro.samples().size();
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double const gradient = micro.is_last_stage()
                                  ? micro.saved()[i] * micro.loss_scale() / static_cast<double>(n)
                                  : micro.output_gradient()[i];
      sum += gradient * sum_of_inputs(micro, i) * factor(micro, i);
      double const below = gradient * micro.weights(0)[0] * factor(micro, i);
      if (!micro.is_first_stage()) micro.input_gradient()[i] = below;
      for (std::size_t edge = 0; edge < skips(micro); ++edge) micro.skip_gradient(edge)[i] = below;
    }
    double& gradient = micro.gradient(0)[0];
    gradient = micro.accumulate() ? gradient + sum : sum;
    if (!micro.input_gradient(1).empty()) has_no_gradient = false;
  }

  static std::size_t skips(auto& micro) { return micro.stage() < 2 ? 0 : micro.stage() - 1; }
  static double factor(auto& micro, std::size_t i) {
    return micro.is_first_stage() ? 1 + micro.samples()[i] / 8 : micro.input(1)[2 * i + 1];
  }
  static double sum_of_inputs(auto& micro, std::size_t i) {
    double x = micro.is_first_stage() ? micro.samples()[i] : micro.input(0)[i];
    for (std::size_t edge = 0; edge < skips(micro); ++edge) x += micro.skip_input(edge)[i];
    return x;
  }

  mutable std::atomic<bool> has_no_gradient = true;  // workers may share it
};

std::vector<double> const samples{1, -.5, .25, .75, 1, -.25, .5, -1, .125, .625, -.875};

std::vector<double> train(weir::ScheduleTable const& table) {
  std::vector<double> weights{1, .5, .75};
  Model const model;
  weir::HostExecutor const executor;
  weir::StageLayout const stage{
      .parameters = {1}, .outputs = {{1}, {.elements = 2, .has_gradient = false}}, .saved = 1};
  weir::InterleavedPipeline<weir::HostExecutor, double> pipe{executor,
                                                             table,
                                                             {.stages = {stage, stage, stage, stage},
                                                              .local_batch = 2,
                                                              .skip_edges = {{1, 3}, {0, 3}, {0, 2}},
                                                              .tied = {{{0, 0}, {3, 0}}}}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.125}}).on(pipe, weir::view(weights));
  for (int step = 0; step < 5; ++step) sync(pipe(std::span<double const>(samples), model));
  sync.drain();
  CHECK(model.has_no_gradient.load());
  return weights;
}

/// The same, written down.
std::vector<double> expected() {
  std::vector<double> weights{1, .5, .75};
  for (int step = 0; step < 5; ++step) {
    double gradient[3] = {};
    for (double const sample : samples) {
      double const c = 1 + sample / 8;
      double const w[4] = {weights[0], weights[1], weights[2], weights[0]};
      double const y0 = w[0] * sample * c;
      double const y1 = w[1] * y0 * c;
      double const y2 = w[2] * (y1 + y0) * c;
      double const y3 = w[3] * (y2 + y0 + y1) * c;
      double const g3 = (y3 - 0.5) / static_cast<double>(samples.size());
      double const below3 = g3 * w[3] * c;
      double const g2 = below3;
      double const below2 = g2 * w[2] * c;
      double const g1 = below2 + below3;
      double const g0 = g1 * w[1] * c + below2 + below3;
      gradient[0] += g0 * sample * c + g3 * (y2 + y0 + y1) * c;
      gradient[1] += g1 * y0 * c;
      gradient[2] += g2 * (y1 + y0) * c;
    }
    for (int p = 0; p < 3; ++p) weights[static_cast<std::size_t>(p)] -= 0.125 * gradient[p];
  }
  return weights;
}

}  // namespace

TEST_CASE(
    "skip edges, a shared parameter, two tensors on an edge of which one has no gradient, and uneven "
    "micro-batches: as written down, and the same bits on any number of workers") {
  auto const make = [](char const* name, weir::ScheduleShape const& shape) {
    return weir::find_schedule(name)->make_table(shape);
  };
  auto const alone = train(make("interleaved-1f1b", {.workers = 1, .micro_batches = 6, .chunks = 4}));
  auto const written = expected();
  for (std::size_t p = 0; p < 3; ++p) CHECK(alone[p] == doctest::Approx(written[p]).epsilon(1e-13));
  CHECK(same_bits(train(make("gpipe", {.workers = 4, .micro_batches = 6})), alone));
  CHECK(same_bits(train(make("1f1b", {.workers = 4, .micro_batches = 6})), alone));
  CHECK(same_bits(train(make("zb-h2", {.workers = 4, .micro_batches = 6})), alone));
  CHECK(same_bits(train(make("zb-v", {.workers = 2, .micro_batches = 6})), alone));
  CHECK(same_bits(train(make("interleaved-1f1b", {.workers = 2, .micro_batches = 6})), alone));
}

TEST_CASE("tied parameters that do not fit are refused") {
  auto const table = weir::find_schedule("pipedream")->make_table({.workers = 4, .micro_batches = 4});
  weir::HostExecutor const executor;
  weir::StageLayout const stage{.parameters = {1}, .outputs = {{1}}, .saved = 1};
  auto const refuse = [&](weir::TiedParameter const& tied) {
    using Pipe = weir::InterleavedPipeline<weir::HostExecutor, double, weir::Stash<>>;
    try {
      Pipe const pipe{executor, table, {.stages = {stage, stage, stage, stage}, .tied = {tied}}};
    } catch (weir::ContractViolation const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refuse({{0, 0}}).find("two stages or more") != std::string::npos);
  CHECK(refuse({{2, 0}, {1, 0}}).find("ascending") != std::string::npos);
  CHECK(refuse({{0, 0}, {1, 1}}).find("none that a stage layout has") != std::string::npos);
  CHECK(refuse({{0, 0}, {3, 0}}).find("late by different numbers") != std::string::npos);
  CHECK(refuse({{2, 0}, {3, 0}}).empty());
}
