#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/update_counter.hpp"

// A chain of four scalar stages y = w x with loss (y - target)^2 / 2, trained by doing what a table says.

using namespace weir;

namespace {

constexpr double samples[8][2] = {{1, .5},  {-.5, .25},   {.25, 1}, {.75, -.5},
                                  {1, .25}, {-.25, -.75}, {.5, .5}, {-1, .25}};

/// The final weights, with a learning rate of 1/4 on the mean over an update's micro-batches.
std::vector<double> train(TableView const& table, std::uint32_t micro_batches, std::uint32_t per_update,
                          std::vector<double> weights, std::uint32_t first_sample = 0) {
  std::uint32_t const stages = table.stages();
  std::vector<std::vector<double>> versions;  // of each stage
  for (double const weight : weights) versions.push_back({weight});
  std::vector<std::vector<double>> inputs(stages, std::vector<double>(micro_batches));
  std::vector<std::vector<double>> slopes(stages + 1,
                                          std::vector<double>(micro_batches));  // of the stage's input
  std::vector<double> gradients(stages, 0.0);
  UpdateCounter counter(table);

  // In the order of a simulation, which is one that the dependencies allow.
  Simulation const simulation = simulate(table);
  std::vector<std::size_t> order(table.operations().size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return simulation.start_ticks()[left] < simulation.start_ticks()[right];
  });
  for (std::size_t const i : order) {
    Operation const& operation = table.operations()[i];
    std::uint32_t const s = operation.stage;
    std::uint32_t const j = operation.micro_batch;
    double const weight = versions[s].at(operation.version);
    if (is_forward(operation)) {
      if (s == 0) inputs[0][j] = samples[first_sample + j][0];
      double const output = weight * inputs[s][j];
      if (s + 1 < stages) {
        inputs[s + 1][j] = output;
      } else {
        slopes[stages][j] = output - samples[first_sample + j][1];
      }
    }
    if (gives_input_gradient(operation)) slopes[s][j] = weight * slopes[s + 1][j];
    if (gives_weight_gradient(operation)) gradients[s] += slopes[s + 1][j] * inputs[s][j];
    if (!counter.pass(operation)) continue;
    versions[s].push_back(versions[s].back() - 0.25 * gradients[s] / per_update);
    gradients[s] = 0;
  }
  for (std::uint32_t s = 0; s < stages; ++s) weights[s] = versions[s].back();
  return weights;
}

std::vector<double> const start{1, .5, .75, 1.25};

void check_weights(std::vector<double> const& found, std::array<double, 4> const& expected) {
  for (std::size_t stage = 0; stage < 4; ++stage)
    CHECK(found[stage] == doctest::Approx(expected[stage]).epsilon(1e-12));
}

}  // namespace

TEST_CASE("the versions of a table give the known weights of delayed updates") {
  check_weights(train(make_table<WPipe>({.workers = 2, .micro_batches = 8, .period = 2}), 8, 2, start),
                {0.94447635339563640, 0.38390550801650292, 0.67450505127365745, 1.20565480889038090});
  check_weights(
      train(make_table<WPipe>({.workers = 2, .micro_batches = 8, .period = 4, .blocks = 2}), 8, 4, start),
      {0.96481196500235467, 0.42962393000470939, 0.70232571716636283, 1.22168954923735360});
  check_weights(train(make_table<PipeDream2BW>({.workers = 4, .micro_batches = 8, .period = 4}), 8, 4, start),
                {0.96263504028320312, 0.42527008056640625, 0.70018005371093750, 1.22010803222656250});
  check_weights(train(make_table<PipeDream>({.workers = 4, .micro_batches = 8}), 8, 1, start),
                {0.91033230329920856, 0.30115996921545429, 0.62876218172763021, 1.17982904852782640});
}

TEST_CASE("every synchronous schedule of one direction gives the known weights, to the same bits") {
  std::vector<double> first;
  for (NamedSchedule const& schedule : schedule_catalog()) {
    if (!schedule.traits.synchronous || schedule.traits.directions != 1) continue;
    std::uint32_t const workers = schedule.traits.chunks == 2 ? 2 : 4;
    ScheduleTable const flush = schedule.make_table({.workers = workers, .micro_batches = 4});
    REQUIRE(flush.properties().stages == 4);
    std::vector<double> const weights = train(flush, 4, 4, train(flush, 4, 4, start), 4);
    check_weights(weights,
                  {0.96848685862694872, 0.43541170241701638, 0.70772392872728462, 1.22485976657101640});
    if (first.empty()) first = weights;
    CHECK(weights == first);
  }
}
