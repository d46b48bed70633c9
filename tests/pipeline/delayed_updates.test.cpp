// Schedules without a flush, run: which versions of the weights the calls of stages read, and what becomes of
// a network of layers.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/delayed_recurrence.hpp"
#include "pipeline/registered_weights.hpp"
#include "pipeline/scalar_chain.hpp"
#include "pipeline/staged_model.hpp"
#include "support/bits.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"

namespace {

/// So many versions of the weights of every stage, or of each.
struct Versions {
  std::vector<std::uint32_t> of_stage;
  std::uint32_t versions(std::uint32_t stage, std::uint32_t) const {
    return of_stage.size() == 1 ? of_stage[0] : of_stage[stage];
  }
};

/// The chain, whose backwards and recomputations compare their weights with those of the forward, and with
/// those that any call of the stage has read last.
struct Comparing {
  std::size_t period;
  std::array<std::array<std::atomic<double>, 64>, 4> of_forward{};  // by stage and micro-batch
  std::array<std::atomic<double>, 4> latest{};
  std::atomic<int> differing = 0;
  std::atomic<int> outdated = 0;
  std::atomic<int> recomputed = 0;

  void forward(auto& micro) {
    if (micro.is_recompute()) {
      ++recomputed;
      compare(micro);
    } else {
      latest[micro.stage()] = entry(micro) = micro.weights(0)[0];
    }
    scalar_chain::Model{}.forward(micro);
  }
  void backward(auto& micro) {
    compare(micro);
    scalar_chain::Model{}.backward(micro);
  }

 private:
  std::atomic<double>& entry(auto& micro) {
    return of_forward[micro.stage()].at(micro.step() * period + micro.index());
  }
  void compare(auto& micro) {
    differing += entry(micro) == micro.weights(0)[0] ? 0 : 1;
    outdated += latest[micro.stage()] == micro.weights(0)[0] ? 0 : 1;
  }
};

struct Case {
  char const* schedule;
  weir::ScheduleShape shape;
  std::vector<std::size_t> layers;  // of each stage
  std::vector<std::uint32_t> delays = {};
  std::vector<weir::TiedParameter> tied = {};

  weir::ScheduleTable table() const { return staged::make_table(schedule, shape); }
};

/// Three runs. The last micro-batch of each is smaller than the others.
template <class Optimizer>
std::vector<double> train(Case const& the, Optimizer const& optimizer, Versions const& store = {{2}},
                          weir::Recompute recompute = weir::Recompute::never, bool has_dropout = false) {
  staged::Stages<double> const stages(the.layers, has_dropout);
  staged::RegisteredWeights const registered(the.table(), the.layers, the.tied);
  std::vector<double> whole = staged::initial_weights<double>(stages.total);
  std::vector<double> weights = registered.gather(whole);
  auto const data = staged::samples(2 * the.shape.micro_batches - 1);
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double, Versions> pipe{
      executor,
      the.table(),
      {.stages = stages.layouts, .local_batch = 2, .seed = 9, .recompute = recompute, .tied = the.tied},
      store};
  auto sync = (weir::LocalAggregator{} | optimizer).on(pipe, weir::view(weights));
  for (int run = 0; run < 3; ++run) sync(pipe(staged::Batch(data), stages.list));
  sync.drain();
  return weights;
}

/// Four workers, two stages each.
Case wpipe_of_four(weir::ScheduleShape shape) {
  shape.workers = 4;
  return {"wpipe", shape, {1, 1, 0, 1, 1, 2, 1, 1}, {1, 1, 1, 1, 0, 0, 0, 0}};
}

/// With the number of updates by which each stage is late.
std::vector<Case> delayed_cases() {
  return {
      {"pipedream", {.workers = 2, .micro_batches = 6}, {1, 1}, {1, 0}},
      {"pipedream", {.workers = 3, .micro_batches = 7}, {2, 1, 1}, {2, 1, 0}},
      {"pipedream", {.workers = 4, .micro_batches = 8}, {1, 1, 1, 1}, {3, 2, 1, 0}},
      {"pipedream", {.workers = 8, .micro_batches = 9}, {1, 1, 1, 1, 1, 1, 1, 1}, {7, 6, 5, 4, 3, 2, 1, 0}},
      {"pipedream-2bw", {.workers = 2, .micro_batches = 8, .period = 4}, {1, 2}, {1, 1}},
      {"pipedream-2bw", {.workers = 4, .micro_batches = 9, .period = 3}, {1, 1, 1, 1}, {1, 1, 1, 1}},
      {"pipedream-2bw", {.workers = 5, .micro_batches = 12, .period = 4}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}},
      {"wpipe", {.workers = 2, .micro_batches = 8, .period = 2}, {1, 1, 1, 1}, {1, 1, 0, 0}},
      {"wpipe", {.workers = 2, .micro_batches = 4, .period = 1}, {1, 1, 1, 1}, {1, 1, 0, 0}},
      {"wpipe", {.workers = 3, .micro_batches = 12, .period = 3}, {1, 0, 2, 1, 1, 1}, {1, 1, 1, 0, 0, 0}},
      {"wpipe", {.workers = 2, .micro_batches = 16, .period = 4, .blocks = 2}, {1, 2, 1, 1}, {1, 1, 0, 0}},
      wpipe_of_four({.micro_batches = 9, .period = 3}),
      wpipe_of_four({.micro_batches = 18, .period = 6}),
      wpipe_of_four({.micro_batches = 24, .period = 8, .blocks = 2}),
      wpipe_of_four({.micro_batches = 36, .period = 12, .blocks = 3}),
  };
}

/// Parameters that several stages share, in all ways that a group of WPipe and the other one can have them.
std::vector<Case> tied_cases() {
  std::vector<weir::TiedParameter> const first_and_last{{{0, 0}, {3, 0}}};
  std::vector<weir::TiedParameter> const biases{{{0, 1}, {1, 1}, {2, 1}, {3, 1}}};
  std::vector<weir::TiedParameter> const pairs{{{0, 0}, {1, 0}}, {{2, 0}, {3, 0}}, {{1, 1}, {2, 1}}};
  std::vector<Case> cases;
  for (auto const& tied : {first_and_last, biases, pairs}) {
    cases.push_back(
        {"wpipe", {.workers = 2, .micro_batches = 8, .period = 2}, {1, 1, 1, 1}, {1, 1, 0, 0}, tied});
    cases.push_back({"wpipe",
                     {.workers = 2, .micro_batches = 16, .period = 4, .blocks = 2},
                     {1, 1, 1, 1},
                     {1, 1, 0, 0},
                     tied});
    cases.push_back(
        {"pipedream-2bw", {.workers = 4, .micro_batches = 9, .period = 3}, {1, 1, 1, 1}, {1, 1, 1, 1}, tied});
  }
  cases.push_back({"wpipe",
                   {.workers = 3, .micro_batches = 12, .period = 3},
                   {1, 1, 1, 1, 1, 1},
                   {1, 1, 1, 0, 0, 0},
                   {{{2, 0}, {3, 0}}, {{0, 1}, {5, 1}}}});
  return cases;
}

/// What the delay of a stage needs, which is what its schedule keeps.
Versions versions_of(Case const& the) {
  Versions versions;
  for (std::uint32_t const delay : the.delays) versions.of_stage.push_back(delay + 1);
  return versions;
}

staged::Delayed written_down(Case const& the) {
  staged::Delayed written{.delays = {},
                          .micro_batches = the.shape.micro_batches,
                          .period = the.shape.period == 0 ? 1 : the.shape.period};
  for (std::size_t stage = 0; stage < the.layers.size(); ++stage)
    written.delays.insert(written.delays.end(), the.layers[stage], the.delays[stage]);
  for (weir::TiedParameter const& tied : the.tied) {
    staged::Tie tie{.layers = {}, .parameter = tied.front().parameter};
    for (weir::StageParameter const& member : tied) tie.layers.push_back(member.stage);  // of one layer each
    written.ties.push_back(std::move(tie));
  }
  return written;
}

/// With each optimizer against what is written down.
void check_as_written(Case const& the) {
  CAPTURE(the.schedule);
  CAPTURE(the.shape.workers);
  CAPTURE(the.shape.period);
  staged::Delayed const written = written_down(the);
  staged::RegisteredWeights const registered(the.table(), the.layers, the.tied);
  auto const data = staged::samples(2 * the.shape.micro_batches - 1);
  auto const check = [&](auto const& optimizer, auto const& rule) {
    CHECK(same_bits(train(the, optimizer, versions_of(the)),
                    registered.gather(staged::delayed_recurrence<double>(written, data, rule))));
  };
  check(weir::Sgd{{.learning_rate = 0.125}}, staged::WrittenSgd{.rate = 0.125});
  check(weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}}, staged::WrittenSgd{.rate = 0.1, .momentum = 0.9});
  check(weir::AdamW{{.learning_rate = 0.01}}, staged::WrittenAdam{.rate = 0.01});
}

}  // namespace

TEST_CASE(
    "a backward and a recomputation read the weights of their forward, whatever has been updated since") {
  for (char const* schedule : {"pipedream", "pipedream-2bw", "wpipe"}) {
    CAPTURE(schedule);
    bool const is_wpipe = schedule == std::string("wpipe");
    bool const is_each = schedule == std::string("pipedream");
    auto const table = staged::make_table(schedule, {.workers = is_wpipe ? 2u : 4u,
                                                     .micro_batches = 16,
                                                     .period = is_each    ? 1u
                                                               : is_wpipe ? 2u
                                                                          : 4u});
    std::vector<scalar_chain::Sample> data(std::begin(scalar_chain::samples),
                                           std::end(scalar_chain::samples));
    data.insert(data.end(), std::begin(scalar_chain::samples), std::end(scalar_chain::samples));
    for (auto const recompute : {weir::Recompute::never, weir::Recompute::always}) {
      std::vector<double> weights = scalar_chain::initial_weights();
      Comparing model{.period = table.properties().period};
      weir::HostExecutor const executor;
      weir::InterleavedPipeline<weir::HostExecutor, double, Versions> pipe{
          executor, table, {.stages = scalar_chain::layouts(4), .recompute = recompute}, Versions{{4}}};
      auto sync =
          (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
      for (int run = 0; run < 3; ++run) sync(pipe(scalar_chain::Batch(data), model));
      sync.drain();
      CHECK(model.differing == 0);
      CHECK(model.outdated > 0);  // so it would have been seen
      CHECK(model.recomputed == (recompute == weir::Recompute::always ? 3 * 16 * 4 : 0));
    }
  }
}

TEST_CASE("delayed updates of a network of layers do not depend on the workers, and one can make them") {
  auto const check = [](auto const& optimizer) {
    auto const wpipe = [&](std::uint32_t workers, std::vector<std::size_t> const& layers) {
      return train({"wpipe", {.workers = workers, .micro_batches = 8, .period = 2}, layers}, optimizer);
    };
    auto const late = [&](std::uint32_t workers, std::vector<std::size_t> const& layers) {
      return train({"pipedream-2bw", {.workers = workers, .micro_batches = 8, .period = 4}, layers},
                   optimizer);
    };
    CHECK(same_bits(wpipe(2, {1, 1, 1, 1}), wpipe(1, {2, 2})));
    CHECK(same_bits(late(2, {2, 2}), late(1, {4})));
    CHECK(same_bits(late(4, {1, 1, 1, 1}), late(1, {4})));
    CHECK(!same_bits(wpipe(1, {2, 2}), late(1, {4})));
  };
  check(weir::Sgd{{.learning_rate = 0.1}});
  check(weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check(weir::AdamW{{.learning_rate = 0.01}});
}

TEST_CASE("a network of layers follows the recurrence of delayed updates as written down, bit for bit") {
  for (Case const& the : delayed_cases()) check_as_written(the);
}

TEST_CASE("a parameter that stages share is read by all of them as late as by the latest, bit for bit") {
  for (Case const& the : tied_cases()) check_as_written(the);
}

TEST_CASE("recomputing changes no bit of delayed updates, with dropout") {
  weir::Sgd const optimizer{{.learning_rate = 0.1, .momentum = 0.5}};
  for (Case const& the : delayed_cases()) {
    CAPTURE(the.schedule);
    CAPTURE(the.shape.workers);
    auto const run = [&](weir::Recompute recompute, bool has_dropout) {
      return train(the, optimizer, versions_of(the), recompute, has_dropout);
    };
    auto const kept = run(weir::Recompute::never, true);
    CHECK(same_bits(run(weir::Recompute::always, true), kept));
    CHECK(same_bits(run(weir::Recompute::except_last, true), kept));
    CHECK(!same_bits(run(weir::Recompute::never, false), kept));
  }
}
