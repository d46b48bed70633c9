#include "weir/pipeline/profile_layers.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "pipeline/staged_model.hpp"
#include "support/bits.hpp"
#include "weir/pipeline/improve_partition.hpp"
#include "weir/pipeline/partition.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds unit = 20us;

void compute_for(std::chrono::microseconds time) {
  auto const end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// A layer that takes one share of its cost for the forward, two for the gradient of the input, and one for
/// that of the weights.
struct Layer {
  int cost;

  void forward(auto&) const { compute_for(cost * unit); }
  void backward_input(auto&) const { compute_for(2 * cost * unit); }
  void backward_weight(auto&) const { compute_for(cost * unit); }
};

/// The same, with a backward of one call.
struct WholeLayer {
  int cost;

  void forward(auto&) const { compute_for(cost * unit); }
  void backward(auto&) const { compute_for(3 * cost * unit); }
};

struct Throwing {
  void forward(auto&) const {}
  void backward(auto&) const { throw std::runtime_error("no gradient"); }
};

std::vector<weir::StageLayout> layouts(std::size_t layers) {
  return std::vector<weir::StageLayout>(layers, {.parameters = {1}, .outputs = {{1}}});
}

weir::Rational milliseconds(int units) {
  return {units * unit.count(), 1000};
}

}  // namespace

TEST_CASE("layers of known costs are cut as those costs say") {
  std::vector<Layer> model{{5}, {20}, {13}, {7}, {11}, {10}};
  weir::HostExecutor const exec;
  std::vector<float> weights(6);
  std::vector<float> const samples(2);
  weir::ScheduleTable const table = weir::make_table<weir::OneFOneB>({.workers = 4, .micro_batches = 8});
  weir::PipelineOptions const options{.stages = layouts(6)};

  weir::LayerProfile const profile =
      weir::profile_layers(exec, options, std::span(samples), model, weir::view(weights), 10);
  weir::Partition const cut = weir::partition(profile.totals(), 4);
  auto const stages = weir::improve_partition(table, profile.layers, cut.stages);

  CHECK(cut.stages == std::vector<weir::LayerRange>{{0, 1}, {1, 2}, {2, 4}, {4, 6}});
  CHECK(stages.size() == 4);
  REQUIRE(profile.layers.size() == 6);
  for (std::size_t layer = 0; layer < 6; ++layer) {
    // Nothing is faster than it can be; how much slower is the machine's business.
    CHECK(profile.layers[layer].forward >= milliseconds(model[layer].cost));
    CHECK(profile.layers[layer].backward_input >= milliseconds(2 * model[layer].cost));
    CHECK(profile.layers[layer].backward_weight >= milliseconds(model[layer].cost));
    CHECK(profile.totals()[layer] == profile.layers[layer].forward + profile.layers[layer].backward_input +
                                         profile.layers[layer].backward_weight);
  }
  CHECK(weights == std::vector<float>(6));
}

TEST_CASE("a backward of one call is the gradient of the input, as a pipeline that splits it does it") {
  std::vector<WholeLayer> model{{8}, {4}};
  std::vector<double> weights(2);
  std::vector<float> const samples(3);
  auto const profile = weir::profile_layers<double>(weir::HostExecutor(), {.stages = layouts(2)},
                                                    std::span(samples), model, weir::view(weights));
  CHECK(profile.layers[0].backward_input >= milliseconds(24));
  CHECK(profile.layers[0].backward_weight < profile.layers[0].forward);
  CHECK(profile.layers[0].forward >= milliseconds(8));
}

TEST_CASE("layers that compute are profiled over micro-batches of several samples, and no weight changes") {
  staged::Stages<double> const stages({1, 2, 0, 1}, true);
  auto const data = staged::samples(9);  // the last micro-batch has one
  std::vector<double> weights = staged::initial_weights<double>(4);
  auto const profile =
      weir::profile_layers<double>(
          weir::HostExecutor(),
          {.stages = stages.layouts,
           .local_batch = 4,
           .seed = 9,
           .recompute = weir::Recompute::always,
           .tied = {{{0, 0}, {3, 0}}}},
          staged::Batch(data), stages.list,
          std::vector<weir::ViewOn<double, weir::HostExecutor>>{{weights.data(), 9},
                                                                {weights.data() + 9, 3},
                                                                {weights.data() + 12, 9},
                                                                {weights.data() + 21, 3},
                                                                {weights.data() + 24, 9},
                                                                {weights.data() + 33, 3},
                                                                {weights.data() + 45, 3}});
  CHECK(same_bits(weights, staged::initial_weights<double>(4)));
  REQUIRE(profile.layers.size() == 4);
  for (std::size_t const layer : {0u, 1u, 3u}) CHECK(profile.totals()[layer] > weir::Rational(0));
}

TEST_CASE("what cannot be profiled is refused, and what a layer throws is told") {
  weir::HostExecutor const exec;
  std::vector<float> weights(1);
  std::vector<float> const samples(1);
  std::vector<Layer> model{{0}};
  auto const profile = [&](weir::PipelineOptions const& options, std::size_t count, std::size_t runs) {
    return weir::profile_layers(exec, options, std::span(samples).first(count), model, weir::view(weights),
                                runs);
  };
  CHECK(profile({.stages = layouts(1)}, 1, 1).layers.size() == 1);
  CHECK_THROWS_WITH_AS(profile({}, 1, 1),
                       "profile_layers: 0 layers, 1 samples in micro-batches of 1, 1 runs; one or more of "
                       "each, and at most 65536 layers, would be right",
                       weir::ContractViolation);
  CHECK_THROWS_AS(profile({.stages = layouts(1)}, 0, 1), weir::ContractViolation);
  CHECK_THROWS_AS(profile({.stages = layouts(1)}, 1, 0), weir::ContractViolation);
  CHECK_THROWS_AS(profile({.stages = layouts(1), .local_batch = 0}, 1, 1), weir::ContractViolation);

  std::vector<Throwing> throwing(1);
  try {
    weir::profile_layers(exec, {.stages = layouts(1)}, std::span(samples), throwing, weir::view(weights));
    FAIL("nothing was thrown");
  } catch (weir::PipelineError const& error) {
    CHECK(std::string(error.what()).find("no gradient") != std::string::npos);
  }
}
