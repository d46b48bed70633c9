// Schedules without a flush, run: which versions of the weights the calls of stages read, and what becomes of
// a network of layers.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "pipeline/staged_model.hpp"
#include "support/bits.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"

namespace {

struct Versions {
  std::uint32_t count;
  std::uint32_t versions(std::uint32_t, std::uint32_t) const { return count; }
};

/// The chain, whose backwards compare their weights with those of the forward, and with those that any call
/// of the stage has read last.
struct Comparing {
  std::array<std::atomic<double>, 4> latest{};
  std::atomic<int> differing = 0;
  std::atomic<int> outdated = 0;

  void forward(auto& micro) {
    latest[micro.stage()] = micro.weights(0)[0];
    micro.saved()[1] = micro.weights(0)[0];
    scalar_chain::Model{}.forward(micro);
  }
  void backward(auto& micro) {
    differing += micro.saved()[1] == micro.weights(0)[0] ? 0 : 1;
    outdated += latest[micro.stage()] == micro.weights(0)[0] ? 0 : 1;
    scalar_chain::Model{}.backward(micro);
  }
};

template <class Optimizer>
std::vector<double> train(char const* schedule, weir::ScheduleShape const& shape, Optimizer const& optimizer,
                          std::vector<std::size_t> const& layers) {
  staged::Stages<double> const stages(layers);
  std::vector<double> weights = staged::initial_weights<double>(stages.total);
  auto const data = staged::samples(2 * shape.micro_batches);
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double, Versions> pipe{
      executor,
      staged::make_table(schedule, shape),
      {.stages = stages.layouts, .local_batch = 2},
      Versions{2}};
  auto sync = (weir::LocalAggregator{} | optimizer).on(pipe, weir::view(weights));
  for (int run = 0; run < 3; ++run) sync(pipe(staged::Batch(data), stages.list));
  sync.drain();
  return weights;
}

}  // namespace

TEST_CASE("a backward reads the weights of its forward, whatever has been updated since") {
  for (char const* schedule : {"pipedream", "pipedream-2bw", "wpipe"}) {
    CAPTURE(schedule);
    bool const is_wpipe = schedule == std::string("wpipe");
    bool const is_each = schedule == std::string("pipedream");
    auto const table = staged::make_table(schedule, {.workers = is_wpipe ? 2u : 4u,
                                                     .micro_batches = 16,
                                                     .period = is_each    ? 1u
                                                               : is_wpipe ? 2u
                                                                          : 4u});
    auto layouts = scalar_chain::layouts(4);
    for (auto& layout : layouts) layout.saved = 2;
    std::vector<double> weights = scalar_chain::initial_weights();
    std::vector<scalar_chain::Sample> data(std::begin(scalar_chain::samples),
                                           std::end(scalar_chain::samples));
    data.insert(data.end(), std::begin(scalar_chain::samples), std::end(scalar_chain::samples));
    Comparing model;
    weir::HostExecutor const executor;
    weir::InterleavedPipeline<weir::HostExecutor, double, Versions> pipe{
        executor, table, {.stages = layouts}, Versions{4}};
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
    for (int run = 0; run < 3; ++run) sync(pipe(scalar_chain::Batch(data), model));
    sync.drain();
    CHECK(model.differing == 0);
    CHECK(model.outdated > 0);  // so it would have been seen
  }
}

TEST_CASE("delayed updates of a network of layers do not depend on the workers, and one can make them") {
  auto const check = [](auto const& optimizer) {
    auto const groups = train("wpipe", {.workers = 1, .micro_batches = 8, .period = 2}, optimizer, {2, 2});
    CHECK(same_bits(train("wpipe", {.workers = 2, .micro_batches = 8, .period = 2}, optimizer, {1, 1, 1, 1}),
                    groups));
    auto const late = train("pipedream-2bw", {.workers = 1, .micro_batches = 8, .period = 4}, optimizer, {4});
    CHECK(same_bits(
        train("pipedream-2bw", {.workers = 2, .micro_batches = 8, .period = 4}, optimizer, {2, 2}), late));
    CHECK(same_bits(
        train("pipedream-2bw", {.workers = 4, .micro_batches = 8, .period = 4}, optimizer, {1, 1, 1, 1}),
        late));
    CHECK(!same_bits(groups, late));
  };
  check(weir::Sgd{{.learning_rate = 0.1}});
  check(weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check(weir::AdamW{{.learning_rate = 0.01}});
}
