#include "weir/pipeline/pipeline_gradients.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fault/counting_resource.hpp"
#include "pipeline/joined_transport.hpp"
#include "pipeline/registered_weights.hpp"
#include "pipeline/staged_model.hpp"
#include "support/bits.hpp"
#include "support/has_cause.hpp"
#include "support/ranks.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"

namespace {

using namespace std::chrono_literals;
using staged::make_table;

/// As many versions as any schedule needs.
struct Store {
  std::uint32_t versions(std::uint32_t, std::uint32_t stages) const { return stages < 2 ? 2 : stages; }
};

struct Case {
  char const* schedule;
  weir::ScheduleShape shape;
  std::vector<std::size_t> places;  // of each worker
  weir::PipelineOptions options = {};
  std::size_t left_out = 1;  // samples of the last run
};

/// A stage that throws in an early forward, or sleeps in each backward.
struct Stage {
  staged::Stage<double> inner = {};
  bool throws = false;
  std::chrono::milliseconds sleep{0};

  void forward(auto& micro) const {
    if (throws && micro.index() == 1) throw std::domain_error("no more");
    inner.forward(micro);
  }
  void backward_input(auto& micro) const { inner.backward_input(micro); }
  void backward_weight(auto& micro) const {
    std::this_thread::sleep_for(sleep);
    inner.backward_weight(micro);
  }
};

/// Takes its time before an update.
struct Pause {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  static constexpr char const* name = "pause";

  std::chrono::milliseconds time{0};

  template <weir::HostOrderedExecutor E, class Real>
  auto on(weir::RecipeContext<E, Real> const&) const {
    return [time = time](weir::DenseGradient<E, Real> const& gradient) {
      std::this_thread::sleep_for(time);
      return gradient;
    };
  }
};

/// The workers at one place, or all; `recipe_of(unit)`.
template <class Transport, class RecipeOf>
struct Process {
  using Pipe = weir::InterleavedPipeline<weir::HostExecutor, double, Store, Transport>;
  using Sync = decltype(std::declval<Pipe&>().bind_each(std::declval<RecipeOf const&>(),
                                                        weir::view(std::declval<std::vector<double>&>())));

  Process(Case const& the, RecipeOf const& recipe_of, Transport transport,
          std::vector<std::uint8_t> const& is_here = {})
      : table(make_table(the.schedule, the.shape)),
        layers(table.properties().stages, 1),
        registered(table, layers, the.options.tied, is_here),
        weights(registered.gather(staged::initial_weights<double>(layers.size()))),
        pipe(executor, table, options(the), {}, std::move(transport)),
        sync(pipe.bind_each(recipe_of, weir::view(weights))) {
    for (std::size_t stage = 0; stage < layers.size(); ++stage) model.push_back({{true, stage, 1}});
  }

  weir::PipelineOptions options(Case const& the) const {
    weir::PipelineOptions options = the.options;
    options.stages = staged::Stages<double>(layers).layouts;
    options.local_batch = 2;
    options.seed = 9;
    return options;
  }

  CountingResource memory;
  weir::HostExecutor executor{{.memory = &memory}};
  weir::ScheduleTable table;
  std::vector<std::size_t> layers;
  staged::RegisteredWeights registered;
  std::vector<double> weights;
  std::vector<Stage> model;
  Pipe pipe;
  Sync sync;
};

/// The same recipe for all.
auto each(auto const& recipe) {
  return [recipe](std::size_t) { return recipe; };
}

/// `recipes(place)` gives the `recipe_of` of a process.
template <class Recipes>
auto processes(Case const& the, Recipes const& recipes) {
  using Joined = Process<JoinedTransport, decltype(recipes(std::size_t{}))>;
  std::vector<std::unique_ptr<Joined>> result;
  auto const group = std::make_shared<JoinedTransport::Group>();
  std::size_t const count = *std::max_element(the.places.begin(), the.places.end()) + 1;
  for (std::size_t place = 0; place < count; ++place) {
    std::vector<std::uint8_t> is_here;
    for (std::size_t const of_worker : the.places) is_here.push_back(of_worker == place ? 1 : 0);
    result.push_back(
        std::make_unique<Joined>(the, recipes(place), JoinedTransport(group, the.places, place), is_here));
  }
  return result;
}

/// Starts a run of so many samples in all processes.
void start(auto& all, staged::Batch samples) {
  for (auto& process : all) process->sync(process->pipe(samples, std::as_const(process->model)));
}

/// Two runs of all micro-batches, and one of fewer samples, of those of a replica.
void train(Case const& the, auto& all, std::size_t replica = 0) {
  std::size_t const share = 2 * all.front()->table.properties().micro_batches;
  auto const data = staged::samples((replica + 1) * share);
  for (std::size_t const left_out : {std::size_t{0}, std::size_t{0}, the.left_out})
    start(all, staged::Batch(data).subspan(replica * share, share - left_out));
  for (auto& process : all) process->sync.drain();
}

/// In a list.
template <class RecipeOf>
auto over_threads(Case const& the, RecipeOf const& recipe_of) {
  using Whole = Process<weir::ThreadTransport, RecipeOf>;
  std::vector<std::unique_ptr<Whole>> one;
  one.push_back(std::make_unique<Whole>(the, recipe_of, weir::ThreadTransport()));
  return one;
}

/// Whether all of `all` have the weights that `whole` has.
void check_same(auto const& all, auto const& whole) {
  std::vector<double> const initial = staged::initial_weights<double>(whole.layers.size());
  std::vector<double> expected = initial;
  whole.registered.scatter(whole.weights, expected);
  for (auto const& process : all) {
    CHECK(same_bits(process->weights, process->registered.gather(expected)));
    CHECK_FALSE(same_bits(process->weights, process->registered.gather(initial)));
  }
}

void check_same_as_threads(Case const& the, auto const& recipe) {
  auto whole = over_threads(the, each(recipe));
  auto all = processes(the, each(each(recipe)));
  train(the, whole);
  train(the, all);
  check_same(all, *whole[0]);
}

void check_same_as_threads(Case const& the) {
  CAPTURE(the.schedule);
  CAPTURE(the.shape.workers);
  CAPTURE(the.left_out);
  check_same_as_threads(the, weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check_same_as_threads(the, weir::LocalAggregator{} | weir::AdamW{{.learning_rate = 0.05}});
}

}  // namespace

TEST_CASE("copies of a stage in several processes give the bits of one process") {
  for (std::size_t const left_out : {1u, 5u}) {
    check_same_as_threads({"chimera", {.workers = 2, .micro_batches = 4}, {0, 1}, {}, left_out});
    check_same_as_threads({"dualpipe", {.workers = 2, .micro_batches = 4}, {0, 1}, {}, left_out});
  }
  for (std::vector<std::size_t> const& places :
       std::vector<std::vector<std::size_t>>{{0, 1, 2, 3}, {0, 0, 1, 1}, {0, 1, 1, 2}, {1, 0, 0, 1}}) {
    check_same_as_threads({"chimera", {.workers = 4, .micro_batches = 4}, places});
    check_same_as_threads({"dualpipe", {.workers = 4, .micro_batches = 8}, places});
  }
  check_same_as_threads(
      {"chimera", {.workers = 2, .micro_batches = 4}, {0, 1}, {.recompute = weir::Recompute::always}});
}

TEST_CASE("so do a direction of which no sample is left, and several flushes to an update") {
  check_same_as_threads({"dualpipe", {.workers = 2, .micro_batches = 4}, {0, 1}, {}, 4});
  check_same_as_threads({"dualpipe", {.workers = 2, .micro_batches = 4}, {0, 1}, {}, 7});
  check_same_as_threads(
      {"chimera", {.workers = 2, .micro_batches = 4}, {0, 1}, {.flushes_per_update = 3}, 5});
}

TEST_CASE("so do stages that share parameters, with a flush") {
  std::vector<weir::TiedParameter> const first_and_last{{{0, 0}, {3, 0}}};
  std::vector<weir::TiedParameter> const many{{{0, 0}, {3, 0}}, {{0, 1}, {1, 1}, {2, 1}, {3, 1}}};
  for (auto const& tied : {first_and_last, many}) {
    for (std::vector<std::size_t> const& places :
         std::vector<std::vector<std::size_t>>{{0, 1, 2, 3}, {0, 0, 1, 1}, {0, 1, 1, 0}, {1, 0, 2, 2}}) {
      check_same_as_threads({"1f1b", {.workers = 4, .micro_batches = 6}, places, {.tied = tied}});
      check_same_as_threads({"zb-h1", {.workers = 4, .micro_batches = 5}, places, {.tied = tied}, 3});
      check_same_as_threads({"chimera", {.workers = 4, .micro_batches = 4}, places, {.tied = tied}});
    }
    check_same_as_threads(
        {"interleaved-1f1b", {.workers = 2, .micro_batches = 5, .chunks = 2}, {0, 1}, {.tied = tied}});
    check_same_as_threads(
        {"1f1b", {.workers = 4, .micro_batches = 6}, {0, 1, 2, 3}, {.tied = tied, .flushes_per_update = 2}});
  }
}

TEST_CASE("and without one, update for update, with what does not fill a period") {
  std::vector<weir::TiedParameter> const tied{{{0, 0}, {3, 0}}};
  for (std::size_t const left_out : {1u, 3u, 9u}) {
    for (weir::Remainder const remainder : {weir::Remainder::drop, weir::Remainder::partial}) {
      weir::PipelineOptions const options{.tied = tied, .remainder = remainder};
      check_same_as_threads(
          {"wpipe", {.workers = 2, .micro_batches = 12, .period = 2}, {0, 1}, options, left_out});
      check_same_as_threads({"pipedream-2bw",
                             {.workers = 4, .micro_batches = 12, .period = 4},
                             {0, 1, 2, 3},
                             options,
                             left_out});
      check_same_as_threads({"pipedream-2bw",
                             {.workers = 4, .micro_batches = 12, .period = 4},
                             {0, 0, 1, 1},
                             options,
                             left_out});
    }
  }
  // Of stages that are late by nothing and by one.
  check_same_as_threads({"pipedream",
                         {.workers = 4, .micro_batches = 9, .period = 1},
                         {0, 1, 2, 3},
                         {.tied = {{{2, 0}, {3, 0}}}}});
}

TEST_CASE("a gradient that comes while an earlier one is used waits for its room") {
  Case const the{"dualpipe", {.workers = 2, .micro_batches = 4}, {0, 1}};
  auto const data = staged::samples(8);
  auto const train_few = [&](auto& all) {
    for (std::size_t const samples : {8u, 4u, 0u, 0u, 2u, 8u, 0u, 4u})
      start(all, staged::Batch(data).first(samples));
    for (auto& process : all) process->sync.drain();
  };
  auto const recipe = [](std::chrono::milliseconds time) {
    return weir::LocalAggregator{} | Pause{time} | weir::Sgd{{.learning_rate = 0.1}};
  };
  auto whole = over_threads(the, each(recipe(0ms)));
  train_few(whole);
  for (std::size_t const slow : {0u, 1u}) {
    auto all = processes(the, [&](std::size_t place) { return each(recipe(place == slow ? 10ms : 0ms)); });
    train_few(all);
    check_same(all, *whole[0]);
  }
}

TEST_CASE("replicas, each in several processes, give the bits of replicas that are in one") {
  for (Case const& the :
       std::vector<Case>{{"chimera", {.workers = 2, .micro_batches = 4}, {0, 1}},
                         {"wpipe",
                          {.workers = 2, .micro_batches = 8, .period = 2},
                          {0, 1},
                          {.tied = {{{0, 0}, {3, 0}}}, .remainder = weir::Remainder::partial}}}) {
    CAPTURE(the.schedule);
    on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
      std::size_t const replica = communicator.rank();
      Case of_replica = the;
      of_replica.options.replica = replica;
      // The updates of all units are under way at the same time: each has ranks of its own.
      std::vector<weir::ThreadCommunicator> of_unit;
      for (std::size_t i = 0; i < 15; ++i) of_unit.push_back(communicator.split(0, replica));
      auto const recipes = [&](std::size_t place) {
        return [&of_unit, place](std::size_t unit) {
          return weir::LocalAggregator{} | weir::AllReduce{of_unit[5 * place + unit]} |
                 weir::Sgd{{.learning_rate = 0.1, .momentum = 0.5}};
        };
      };
      auto whole = over_threads(of_replica, recipes(2));
      auto all = processes(of_replica, recipes);
      train(of_replica, whole, replica);
      train(of_replica, all, replica);
      check_same(all, *whole[0]);
    });
  }
}

TEST_CASE("all that is taken is taken before the first run, and told") {
  Case const the{"chimera", {.workers = 4, .micro_batches = 4}, {0, 1, 2, 3}};
  auto all = processes(the, each(each(weir::LocalAggregator{} | weir::AdamW{{}})));
  std::vector<std::size_t> calls;
  for (auto& process : all) {
    CHECK(process->sync.workspace_bytes() == process->memory.bytes());
    calls.push_back(process->memory.calls());
  }
  train(the, all);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i]->memory.calls() == calls[i]);
}

TEST_CASE("a process that fails is reported by the others, and all go on after a reset") {
  Case const the{"chimera", {.workers = 2, .micro_batches = 4}, {0, 1}};
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
  auto all = processes(the, each(each(recipe)));
  auto const data = staged::samples(8);
  for (int failures = 0; failures < 3; ++failures) {
    for (Stage& stage : all[1]->model) stage.throws = true;
    start(all, staged::Batch(data));
    for (std::size_t i = 0; i < 2; ++i) {
      try {
        all[i]->sync.drain();
        CHECK(false);
      } catch (weir::PipelineError const& error) {
        CHECK((i == 1 ? has_cause<std::domain_error>(error) : has_cause<weir::PeerAborted>(error)));
        CHECK(error.worker() == i);
      }
    }
    for (Stage& stage : all[1]->model) stage.throws = false;
    for (auto& process : all) process->sync.reset();
  }
  auto whole = over_threads(the, each(recipe));
  train(the, whole);
  train(the, all);
  check_same(all, *whole[0]);
}

TEST_CASE("the watchdog names the gradient that does not come") {
  Case const the{
      "zb-h1", {.workers = 2, .micro_batches = 2}, {0, 1}, {.tied = {{{0, 0}, {1, 0}}}, .watchdog = 500ms}};
  auto all = processes(the, each(each(weir::LocalAggregator{} | weir::Sgd{{}})));
  auto const data = staged::samples(4);
  all[1]->model[1].sleep = 2'000ms;
  start(all, staged::Batch(data));
  try {
    all[0]->sync.drain();
    CHECK(false);
  } catch (weir::PipelineStalled const& error) {
    std::string const text = error.what();
    CAPTURE(text);
    CHECK(
        text.find("waits for a message on edge 1 -> 0 (gradient of tied parameter 0 in stage 1); worker 1 is "
                  "in another process") != std::string::npos);
  }
  CHECK_THROWS_AS(all[1]->sync.drain(), weir::PipelineError);
}

TEST_CASE("each process saves and loads its copy") {
  Case const the{"1f1b", {.workers = 2, .micro_batches = 4}, {0, 1}, {.tied = {{{0, 0}, {1, 0}}}}};
  auto const recipes = each(each(weir::LocalAggregator{} | weir::AdamW{{.learning_rate = 0.05}}));
  auto all = processes(the, recipes);
  train(the, all);
  std::vector<weir::Archive> archives(2);
  for (std::size_t i = 0; i < 2; ++i) all[i]->sync.save(archives[i]);
  train(the, all);
  auto others = processes(the, recipes);
  train(the, others);
  train(the, others);
  for (std::size_t i = 0; i < 2; ++i) others[i]->sync.load(archives[i]);
  train(the, others);
  for (std::size_t i = 0; i < 2; ++i) CHECK(same_bits(others[i]->weights, all[i]->weights));
}
