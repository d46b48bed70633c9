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

/// The workers at one place, or all.
template <class Transport, class Optimizer>
struct Process {
  using Pipe = weir::InterleavedPipeline<weir::HostExecutor, double, Store, Transport>;
  using Sync = decltype((weir::LocalAggregator{} | std::declval<Optimizer const&>())
                            .on(std::declval<Pipe&>(), weir::view(std::declval<std::vector<double>&>())));

  Process(Case const& the, Optimizer const& optimizer, Transport transport,
          std::vector<std::uint8_t> const& is_here = {})
      : table(make_table(the.schedule, the.shape)),
        layers(table.properties().stages, 1),
        registered(table, layers, the.options.tied, is_here),
        weights(registered.gather(staged::initial_weights<double>(layers.size()))),
        pipe(executor, table, options(the), {}, std::move(transport)),
        sync((weir::LocalAggregator{} | optimizer).on(pipe, weir::view(weights))) {
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

template <class Optimizer>
using Processes = std::vector<std::unique_ptr<Process<JoinedTransport, Optimizer>>>;

template <class Optimizer>
Processes<Optimizer> processes(Case const& the, Optimizer const& optimizer) {
  Processes<Optimizer> result;
  auto const group = std::make_shared<JoinedTransport::Group>();
  std::size_t const count = *std::max_element(the.places.begin(), the.places.end()) + 1;
  for (std::size_t place = 0; place < count; ++place) {
    std::vector<std::uint8_t> is_here;
    for (std::size_t const of_worker : the.places) is_here.push_back(of_worker == place ? 1 : 0);
    result.push_back(std::make_unique<Process<JoinedTransport, Optimizer>>(
        the, optimizer, JoinedTransport(group, the.places, place), is_here));
  }
  return result;
}

/// Two runs of all micro-batches, and one of fewer samples; `all` are the processes.
void train(Case const& the, auto& all) {
  auto const data = staged::samples(2 * all.front()->table.properties().micro_batches);
  for (std::size_t const left_out : {std::size_t{0}, std::size_t{0}, the.left_out}) {
    for (auto& process : all)
      process->sync(
          process->pipe(staged::Batch(data).first(data.size() - left_out), std::as_const(process->model)));
  }
  for (auto& process : all) process->sync.drain();
}

/// The weights of the whole network, trained by threads.
template <class Optimizer>
std::vector<double> trained_by_threads(Case const& the, Optimizer const& optimizer) {
  std::vector<std::unique_ptr<Process<weir::ThreadTransport, Optimizer>>> one;
  one.push_back(
      std::make_unique<Process<weir::ThreadTransport, Optimizer>>(the, optimizer, weir::ThreadTransport()));
  train(the, one);
  auto whole = staged::initial_weights<double>(one[0]->layers.size());
  one[0]->registered.scatter(one[0]->weights, whole);
  return whole;
}

template <class Optimizer>
void check_same_as_threads(Case const& the, Optimizer const& optimizer) {
  auto const expected = trained_by_threads(the, optimizer);
  auto all = processes(the, optimizer);
  train(the, all);
  for (auto& process : all) {
    CHECK(same_bits(process->weights, process->registered.gather(expected)));
    CHECK_FALSE(same_bits(process->weights, process->registered.gather(
                                                staged::initial_weights<double>(process->layers.size()))));
  }
}

void check_same_as_threads(Case const& the) {
  CAPTURE(the.schedule);
  CAPTURE(the.shape.workers);
  CAPTURE(the.left_out);
  check_same_as_threads(the, weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check_same_as_threads(the, weir::AdamW{{.learning_rate = 0.05}});
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

TEST_CASE("all that is taken is taken before the first run, and told") {
  Case const the{"chimera", {.workers = 4, .micro_batches = 4}, {0, 1, 2, 3}};
  auto all = processes(the, weir::AdamW{{}});
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
  weir::Sgd const optimizer{{.learning_rate = 0.1, .momentum = 0.9}};
  auto all = processes(the, optimizer);
  auto const data = staged::samples(8);
  for (int failures = 0; failures < 3; ++failures) {
    for (Stage& stage : all[1]->model) stage.throws = true;
    for (auto& process : all) process->sync(process->pipe(staged::Batch(data), process->model));
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
  train(the, all);
  auto const expected = trained_by_threads(the, optimizer);
  for (auto& process : all) CHECK(same_bits(process->weights, process->registered.gather(expected)));
}

TEST_CASE("the watchdog names the gradient that does not come") {
  weir::PipelineOptions options{.tied = {{{0, 0}, {1, 0}}}, .watchdog = 100ms};
  auto all = processes({"zb-h1", {.workers = 2, .micro_batches = 2}, {0, 1}, options}, weir::Sgd{{}});
  auto const data = staged::samples(4);
  all[1]->model[1].sleep = 1'000ms;
  for (auto& process : all) process->sync(process->pipe(staged::Batch(data), process->model));
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
  weir::AdamW const optimizer{{.learning_rate = 0.05}};
  auto all = processes(the, optimizer);
  train(the, all);
  std::vector<weir::Archive> archives(2);
  for (std::size_t i = 0; i < 2; ++i) all[i]->sync.save(archives[i]);
  train(the, all);
  auto others = processes(the, optimizer);
  train(the, others);
  train(the, others);
  for (std::size_t i = 0; i < 2; ++i) others[i]->sync.load(archives[i]);
  train(the, others);
  for (std::size_t i = 0; i < 2; ++i) CHECK(same_bits(others[i]->weights, all[i]->weights));
}
