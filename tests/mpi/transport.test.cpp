#include "weir/mpi/transport.hpp"

#include <doctest/doctest.h>
#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pipeline/delayed_recurrence.hpp"
#include "pipeline/registered_weights.hpp"
#include "pipeline/staged_model.hpp"
#include "support/bits.hpp"
#include "support/has_cause.hpp"
#include "weir/comm/mesh.hpp"
#include "weir/comm/place_workers.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/transport/threads.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"

namespace {

using namespace std::chrono_literals;
using staged::make_table;
/// As many versions as any schedule needs.
struct Store {
  std::uint32_t versions(std::uint32_t, std::uint32_t stages) const { return stages < 2 ? 2 : stages; }
};
template <class Transport, class Real = double>
using Pipe = weir::InterleavedPipeline<weir::HostExecutor, Real, Store, Transport>;

/// All ranks, met at its beginning and end, so that one test does not run into the next.
struct World {
  World() { MPI_Barrier(MPI_COMM_WORLD); }
  World(World const&) = delete;
  World& operator=(World const&) = delete;
  ~World() { MPI_Barrier(MPI_COMM_WORLD); }

  std::uint32_t size() const { return static_cast<std::uint32_t>(communicator.size()); }

  weir::MpiCommunicator communicator{MPI_COMM_WORLD, {.deadline = 20s}};
};

/// The weights of some of the stages.
template <class Real>
std::vector<Real> part_of(std::vector<Real> const& all, staged::Stages<Real> const& stages,
                          std::size_t stage) {
  auto const begin =
      all.begin() + static_cast<std::ptrdiff_t>(stages.list[stage].first_layer * staged::layer_parameters);
  return {begin, begin + static_cast<std::ptrdiff_t>(stages.list[stage].layers * staged::layer_parameters)};
}

template <class Real>
struct Outcome {
  std::vector<Real> weights;        // of this process
  std::vector<std::size_t> stages;  // of its parts
  std::vector<std::uint64_t> updates;
  double evaluated = 0;  // in this process
};

struct Case {
  char const* schedule;
  weir::ScheduleShape shape;
  std::vector<std::size_t> layers = {};  // of each stage; empty: one
  weir::PipelineOptions options = {};
  weir::EdgeCodec codec = weir::EdgeCodec::none;
  std::vector<std::size_t> ranks = {};  // of each worker
  std::size_t left_out = 1;             // samples of the last run

  /// Of each stage: two runs of all micro-batches, and the last one.
  std::uint64_t updates(weir::TableProperties const& table) const {
    if (table.synchronous) return 3 / options.flushes_per_update;
    std::size_t const last = (2 * table.micro_batches - left_out + 1) / 2;
    bool const has_partial = options.remainder == weir::Remainder::partial && last % table.period != 0;
    return 2 * (table.micro_batches / table.period) + last / table.period + (has_partial ? 1 : 0);
  }
};

/// The workers of this process, as `MpiTransport` divides them.
std::vector<std::uint8_t> workers_of(weir::MpiCommunicator const& communicator, std::size_t workers,
                                     std::vector<std::size_t> const& ranks) {
  std::vector<std::uint8_t> is_here;
  for (std::size_t const rank : weir::detail::place_workers("the test", ranks, workers, communicator.size()))
    is_here.push_back(rank == communicator.rank() ? 1 : 0);
  return is_here;
}

/// Two runs, an evaluation, and one more run of fewer samples.
template <class Real, class Transport, class Optimizer>
Outcome<Real> train(Case const& the, staged::Stages<Real> const& stages, Transport transport,
                    staged::RegisteredWeights const& registered, Optimizer const& optimizer) {
  Outcome<Real> outcome;
  weir::HostExecutor const executor;
  weir::PipelineOptions options = the.options;
  options.stages = stages.layouts;
  options.seed = 9;
  options.local_batch = 2;
  auto const table = make_table(the.schedule, the.shape);
  weir::EdgeSparsifier<weir::HostExecutor, Real> sparsifier;
  if (the.codec == weir::EdgeCodec::sparse)
    sparsifier = weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.1}}};
  Pipe<Transport, Real> pipe{executor, table, options, {}, std::move(transport), sparsifier};
  for (std::size_t part = 0; part < pipe.parts(); ++part) outcome.stages.push_back(pipe.stage_of(part));
  outcome.weights = registered.gather(staged::initial_weights<Real>(stages.total));
  auto sync = (weir::LocalAggregator{} | optimizer).on(pipe, weir::view(outcome.weights));
  auto const data = staged::samples(2 * table.properties().micro_batches);
  for (int run = 0; run < 2; ++run) sync(pipe(staged::Batch(data), stages.list));
  outcome.evaluated = sync.evaluate(pipe(staged::Batch(data), stages.list)).sum;
  sync(pipe(staged::Batch(data).first(data.size() - the.left_out), stages.list));
  sync.drain();
  outcome.updates = sync.updates();
  return outcome;
}

template <class Real = double, class Optimizer = weir::AdamW>
void check_same_as_threads(Case const& the,
                           Optimizer const& optimizer = weir::AdamW{{.learning_rate = 0.05}}) {
  CAPTURE(the.schedule);
  CAPTURE(the.shape.workers);
  World const world;
  auto const table = make_table(the.schedule, the.shape);
  auto const properties = table.properties();
  std::vector<std::size_t> const layers =
      the.layers.empty() ? std::vector<std::size_t>(properties.stages, 1) : the.layers;
  staged::Stages<Real> stages(layers, true);
  for (weir::StageLayout& layout : stages.layouts) layout.codec = the.codec;
  staged::RegisteredWeights const all(table, layers, the.options.tied);
  staged::RegisteredWeights const here(table, layers, the.options.tied,
                                       workers_of(world.communicator, properties.workers, the.ranks));
  auto const expected = train(the, stages, weir::ThreadTransport(), all, optimizer);
  auto const outcome =
      train(the, stages, weir::MpiTransport(world.communicator, {.ranks = the.ranks}), here, optimizer);
  auto whole = staged::initial_weights<Real>(stages.total);
  all.scatter(expected.weights, whole);
  CHECK(same_bits(outcome.weights, here.gather(whole)));
  CHECK(outcome.updates == std::vector<std::uint64_t>(outcome.stages.size(), the.updates(properties)));
  std::vector<int> is_there(properties.stages);
  for (std::size_t const stage : outcome.stages) is_there[stage] = 1;
  MPI_Allreduce(MPI_IN_PLACE, is_there.data(), static_cast<int>(is_there.size()), MPI_INT, MPI_MAX,
                MPI_COMM_WORLD);
  for (std::size_t const stage : expected.stages) CHECK(is_there[stage] == 1);
  double evaluated = outcome.evaluated;
  MPI_Allreduce(MPI_IN_PLACE, &evaluated, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  CHECK(evaluated == expected.evaluated);  // one process has it all, or two have a part each
}

/// Stages y = w x of one number, the first and last of a tensor; stage 2 adds what stage 0 gave.
struct Skipping {
  static double last(auto const& tensor) { return tensor[tensor.size() - 1]; }
  static void fill(auto const& tensor, double value) { tensor[0] = tensor[tensor.size() - 1] = value; }

  static double input(auto& micro) {
    double const x = micro.is_first_stage() ? micro.samples()[0] : last(micro.input());
    return micro.stage() == 2 ? x + last(micro.skip_input()) : x;
  }
  void forward(auto& micro) const {
    fill(micro.is_last_stage() ? micro.saved() : micro.output(), micro.weights(0)[0] * input(micro));
  }
  void backward(auto& micro) const {
    double const gradient = micro.is_last_stage() ? micro.saved()[0] - 0.5 : last(micro.output_gradient());
    double& sum = micro.gradient(0)[0];
    sum = (micro.accumulate() ? sum : 0.0) + gradient * input(micro);
    if (!micro.is_first_stage()) fill(micro.input_gradient(), gradient * micro.weights(0)[0]);
    if (micro.stage() == 2) {
      for (double& value : std::span(micro.skip_gradient().data(), micro.skip_gradient().size())) value = 0;
      fill(micro.skip_gradient(), gradient * micro.weights(0)[0]);
    }
  }
};

/// Stages y = w_0 x of one number, which have many weights.
struct Wide {
  static double input(auto& micro) { return micro.is_first_stage() ? micro.samples()[0] : micro.input()[0]; }
  void forward(auto& micro) const {
    (micro.is_last_stage() ? micro.saved() : micro.output())[0] = micro.weights(0)[0] * input(micro);
  }
  void backward(auto& micro) const {
    double const gradient = micro.is_last_stage() ? micro.saved()[0] - 0.5 : micro.output_gradient()[0];
    auto const sum = micro.gradient(0);
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] = (micro.accumulate() ? sum[i] : 0.0) + gradient * input(micro);
    if (!micro.is_first_stage()) micro.input_gradient()[0] = gradient * micro.weights(0)[0];
  }
};

template <class Transport>
std::vector<std::pair<std::size_t, double>> train_skipping(std::size_t elements, Transport transport) {
  weir::HostExecutor const executor;
  weir::StageLayout const stage{.parameters = {1}, .outputs = {{elements}}, .saved = 1};
  Pipe<Transport> pipe{executor,
                       make_table("1f1b", {.workers = 4, .micro_batches = 6}),
                       {.stages = {stage, stage, stage, stage}, .skip_edges = {{0, 2}}},
                       {},
                       std::move(transport)};
  std::vector<double> weights(pipe.parts(), 0.75);
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.125}}).on(pipe, weir::view(weights));
  std::vector<double> const samples{1, -.5, .25, .75, 1, -.25};
  Skipping const model;
  for (int run = 0; run < 4; ++run) sync(pipe(std::span<double const>(samples), model));
  sync.drain();
  std::vector<std::pair<std::size_t, double>> result;
  for (std::size_t part = 0; part < pipe.parts(); ++part)
    result.emplace_back(pipe.stage_of(part), weights[part]);
  return result;
}

/// A stage that throws in an early forward or its last backward, or sleeps in each forward.
struct Failing {
  bool throws = false;
  bool throws_at_the_end = false;
  std::chrono::milliseconds sleep{0};
  staged::Stage<double> inner = {};

  void forward(auto& micro) const {
    if (throws && micro.index() == 1) throw std::domain_error("no more");
    std::this_thread::sleep_for(sleep);
    inner.forward(micro);
  }
  void backward(auto& micro) const {
    if (throws_at_the_end && micro.index() == 3) throw std::domain_error("no more");
    inner.backward_input(micro);
    inner.backward_weight(micro);
  }
};

/// A run of 1f1b with a worker on each rank that fails, and one after it, which gives what it gives alone.
template <class Check>
void fail(World const& world, bool fails_here, Failing const& how, std::chrono::milliseconds watchdog,
          Check const& check) {
  weir::HostExecutor const executor;
  staged::Stages<double> const stages(std::vector<std::size_t>(world.size(), 1));
  auto const data = staged::samples(4);
  auto const train = [&](std::chrono::milliseconds patience, auto const& begin) {
    Pipe<weir::MpiTransport> pipe{executor,
                                  make_table("1f1b", {.workers = world.size(), .micro_batches = 4}),
                                  {.stages = stages.layouts, .watchdog = patience},
                                  {},
                                  weir::MpiTransport(world.communicator)};
    std::vector<double> weights(staged::layer_parameters, 0.5);
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{}}).on(pipe, weir::view(weights));
    begin(pipe, sync);
    std::vector<Failing> const model(world.size());
    for (int run = 0; run < 2; ++run) sync(pipe(staged::Batch(data), model));
    sync.drain();
    CHECK(sync.updates() == std::vector<std::uint64_t>{2});
    return weights;
  };
  auto const expected = train(20s, [](auto&, auto&) {});
  auto const trained = train(watchdog, [&](auto& pipe, auto& sync) {
    std::vector<Failing> const model(world.size(), fails_here ? how : Failing{});
    sync(pipe(staged::Batch(data), model));
    check(sync);
    sync.reset();
  });
  CHECK(same_bits(trained, expected));
}

}  // namespace

TEST_CASE("processes train to the bits of threads, whatever the schedule, with a worker each") {
  World const world;
  std::uint32_t const p = world.size();
  for (char const* const name : {"gpipe", "1f1b", "zb-h2", "zb-v", "dualpipe-v"})
    check_same_as_threads({name, {.workers = p, .micro_batches = 2 * p}});
  check_same_as_threads({"interleaved-1f1b", {.workers = p, .micro_batches = 2 * p, .chunks = 2}});
  check_same_as_threads({"1f1b", {.workers = p, .micro_batches = 1}});
}

TEST_CASE("so they do with momentum, in float and with other numbers of micro-batches") {
  World const world;
  std::uint32_t const p = world.size();
  weir::Sgd const momentum{{.learning_rate = 0.1, .momentum = 0.9}};
  for (Case const& the : std::vector<Case>{{"sequential", {.workers = p, .micro_batches = 3}},
                                           {"gpipe", {.workers = p, .micro_batches = 2 * p - 1}},
                                           {"looped-bfs", {.workers = p, .micro_batches = 2 * p + 1}},
                                           {"zb-h1", {.workers = p, .micro_batches = p - 1}},
                                           {"wpipe", {.workers = p, .micro_batches = 2 * p, .period = p}}}) {
    check_same_as_threads<double>(the, momentum);
    check_same_as_threads<float>(the, momentum);
    check_same_as_threads<float>(the);
  }
}

TEST_CASE("schedules without a flush are over processes what they are over threads, update for update") {
  World const world;
  std::uint32_t const p = world.size();
  for (Case const& the :
       std::vector<Case>{{"wpipe", {.workers = p, .micro_batches = 3 * p, .period = p}},
                         {"wpipe", {.workers = p, .micro_batches = 4 * p, .period = 2 * p, .blocks = 2}},
                         {"wpipe",
                          {.workers = p, .micro_batches = 2 * p, .period = p},
                          {},
                          {.recompute = weir::Recompute::except_last}},
                         {"pipedream-2bw", {.workers = p, .micro_batches = 4 * p, .period = p}},
                         {"pipedream", {.workers = p, .micro_batches = 2 * p + 1, .period = 1}}}) {
    check_same_as_threads(the);
    check_same_as_threads(the, weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  }
}

TEST_CASE("so is what becomes of micro-batches that do not fill a period") {
  World const world;
  std::uint32_t const p = world.size();
  for (weir::Remainder const remainder : {weir::Remainder::drop, weir::Remainder::partial}) {
    for (char const* const schedule : {"wpipe", "pipedream-2bw"}) {
      for (std::size_t const left_out : {std::size_t{3}, std::size_t{2} * p})
        check_same_as_threads({.schedule = schedule,
                               .shape = {.workers = p, .micro_batches = 3 * p, .period = p},
                               .options = {.remainder = remainder},
                               .left_out = left_out});
    }
  }
}

TEST_CASE("so they do where both copies of a stage are in one process, and where each is in its own") {
  World const world;
  std::uint32_t const p = 2 * world.size();
  std::uint32_t const even = world.size() + world.size() % 2;
  std::vector<std::size_t> ranks;
  for (std::uint32_t worker = 0; worker < p; ++worker)
    ranks.push_back(worker < p / 2 ? worker : p - 1 - worker);
  weir::Sgd const momentum{{.learning_rate = 0.1, .momentum = 0.9}};
  for (char const* const name : {"chimera", "dualpipe"}) {
    check_same_as_threads(
        {.schedule = name, .shape = {.workers = p, .micro_batches = 2 * p}, .ranks = ranks});
    check_same_as_threads({.schedule = name, .shape = {.workers = p, .micro_batches = 2 * p}}, momentum);
    for (std::size_t const left_out : {std::size_t{1}, std::size_t{3}, 2 * std::size_t{even} + 1}) {
      Case const the{
          .schedule = name, .shape = {.workers = even, .micro_batches = 2 * even}, .left_out = left_out};
      check_same_as_threads(the);
      check_same_as_threads<float>(the, momentum);
    }
    check_same_as_threads({.schedule = name,
                           .shape = {.workers = even, .micro_batches = 2 * even},
                           .options = {.flushes_per_update = 2}});
  }
}

TEST_CASE("so they do where a parameter is shared by stages of several processes") {
  World const world;
  std::uint32_t const p = world.size();
  weir::Sgd const momentum{{.learning_rate = 0.1, .momentum = 0.9}};
  auto const first_and_last = [](std::size_t stages) {
    return weir::PipelineOptions{.tied = {{{0, 0}, {stages - 1, 0}}, {{0, 1}, {1, 1}, {stages - 1, 1}}},
                                 .remainder = weir::Remainder::partial};
  };
  for (std::size_t const left_out : {1u, 5u}) {
    for (Case const& the :
         std::vector<Case>{{"1f1b", {.workers = p + 1, .micro_batches = 2 * p}, {}, first_and_last(p + 1)},
                           {"zb-h1", {.workers = 4, .micro_batches = 5}, {}, first_and_last(4)},
                           {"interleaved-1f1b",
                            {.workers = p, .micro_batches = 2 * p, .chunks = 2},
                            {},
                            first_and_last(2 * p)},
                           {"chimera", {.workers = 4, .micro_batches = 4}, {}, first_and_last(4)}}) {
      Case uneven = the;
      uneven.left_out = left_out;
      check_same_as_threads(uneven);
      check_same_as_threads(uneven, momentum);
    }
    // Of which stage 0 is late by one and the last one by nothing; and all by one.
    for (Case const& the :
         std::vector<Case>{{"wpipe", {.workers = p, .micro_batches = 4 * p, .period = p}, {}, {}},
                           {"pipedream-2bw", {.workers = p, .micro_batches = 4 * p, .period = p}, {}, {}}}) {
      Case uneven = the;
      std::size_t const stages = make_table(the.schedule, the.shape).properties().stages;
      uneven.options.tied = {{{0, 0}, {stages - 1, 0}}};
      uneven.options.remainder = weir::Remainder::partial;
      uneven.left_out = left_out;
      check_same_as_threads(uneven);
      check_same_as_threads(uneven, momentum);
    }
  }
}

TEST_CASE("gradients that MPI sends only when they are received are added as others are") {
  constexpr std::size_t wide = 50'000;
  World const world;
  std::uint32_t const p = world.size();
  auto const train_wide = [&](auto transport) {
    weir::HostExecutor const executor;
    weir::StageLayout const stage{.parameters = {wide}, .outputs = {{1}}, .saved = 1};
    Pipe<decltype(transport)> pipe{
        executor,
        make_table("pipedream-2bw", {.workers = p, .micro_batches = 6 * p, .period = p}),
        {.stages = std::vector<weir::StageLayout>(p, stage), .tied = {{{0, 0}, {p - std::size_t{1}, 0}}}},
        {},
        std::move(transport)};
    std::vector<double> weights(pipe.parts() * wide, 0.75);
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.0625, .momentum = 0.5}})
                    .on(pipe, weir::view(weights));
    std::vector<double> samples(6 * p);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = 0.125 * static_cast<double>(i % 7) - 0.25;
    Wide const model;
    for (int run = 0; run < 3; ++run) sync(pipe(std::span<double const>(samples), model));
    sync.drain();
    return weights.front();  // of stage 0, or of the last one
  };
  double const expected = train_wide(weir::ThreadTransport());
  double const trained = train_wide(weir::MpiTransport(world.communicator));
  std::size_t const rank = world.communicator.rank();
  if (rank == 0 || rank + 1 == p) CHECK(trained == expected);
  CHECK(expected != 0.75);
}

TEST_CASE("a rank that fails while gradients go around is reported by the others, and a reset helps all") {
  World const world;
  std::uint32_t const even = world.size() + world.size() % 2;
  bool const is_last = world.communicator.rank() + 1 == world.size();
  auto const table = make_table("chimera", {.workers = even, .micro_batches = 2 * even});
  std::vector<std::size_t> const layers(even, 1);
  staged::Stages<double> const stages(layers);
  staged::RegisteredWeights const registered(table, layers, {}, workers_of(world.communicator, even, {}));
  auto const initial = registered.gather(staged::initial_weights<double>(even));
  auto const data = staged::samples(2 * even);
  weir::HostExecutor const executor;
  auto const make = [&](auto const& f) {
    Pipe<weir::MpiTransport> pipe{
        executor, table, {.stages = stages.layouts}, {}, weir::MpiTransport(world.communicator)};
    auto weights = initial;
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{}}).on(pipe, weir::view(weights));
    f(pipe, sync, weights);
    return weights;
  };
  auto const run = [&](auto& pipe, auto& sync, Failing const& how) {
    std::vector<Failing> model(even, how);
    for (std::size_t stage = 0; stage < even; ++stage) model[stage].inner.first_layer = stage;
    sync(pipe(staged::Batch(data), model));
    sync.drain();
  };
  auto const expected = make([&](auto& pipe, auto& sync, auto&) {
    for (int i = 0; i < 3; ++i) run(pipe, sync, {});
  });
  for (bool const at_the_end : {false, true}) {
    auto const trained = make([&](auto& pipe, auto& sync, auto& weights) {
      Failing const failing{.throws = is_last && !at_the_end, .throws_at_the_end = is_last && at_the_end};
      for (int failures = 0; failures < 2; ++failures) {
        try {
          run(pipe, sync, failing);
          CHECK(false);
        } catch (weir::PipelineError const& error) {
          CHECK((is_last ? has_cause<std::domain_error>(error) : has_cause<weir::PeerAborted>(error)));
        }
        try {
          sync.reset();
          CHECK(same_bits(weights, initial));
        } catch (weir::TornStep const&) {  // on all ranks
          CHECK(at_the_end);
          weights = initial;
          sync.restored();
        }
      }
      for (int i = 0; i < 3; ++i) run(pipe, sync, {});
    });
    CHECK(same_bits(trained, expected));
  }
}

TEST_CASE("each rank saves and loads its copy of shared weights") {
  World const world;
  std::uint32_t const even = world.size() + world.size() % 2;
  auto const table = make_table("dualpipe", {.workers = even, .micro_batches = 2 * even});
  std::vector<std::size_t> const layers(even, 1);
  staged::Stages<double> const stages(layers);
  std::vector<weir::TiedParameter> const tied{{{0, 0}, {even - std::size_t{1}, 0}}};
  staged::RegisteredWeights const registered(table, layers, tied, workers_of(world.communicator, even, {}));
  auto const data = staged::samples(2 * even);
  weir::HostExecutor const executor;
  auto const with_pipe = [&](auto const& f) {
    Pipe<weir::MpiTransport> pipe{executor,
                                  table,
                                  {.stages = stages.layouts, .tied = tied},
                                  {},
                                  weir::MpiTransport(world.communicator)};
    auto weights = registered.gather(staged::initial_weights<double>(even));
    auto sync =
        (weir::LocalAggregator{} | weir::AdamW{{.learning_rate = 0.05}}).on(pipe, weir::view(weights));
    auto const run = [&](int times) {
      for (int i = 0; i < times; ++i) sync(pipe(staged::Batch(data), stages.list));
      sync.drain();
    };
    f(sync, run);
    return weights;
  };
  weir::Archive archive;
  auto const expected = with_pipe([&](auto& sync, auto const& run) {
    run(2);
    sync.save(archive);
    run(3);
  });
  auto const loaded = with_pipe([&](auto& sync, auto const& run) {
    run(1);
    sync.load(archive);
    run(3);
  });
  CHECK(same_bits(loaded, expected));
}

TEST_CASE("a process may have several workers, stages be uneven or empty, and activations recomputed") {
  check_same_as_threads({"1f1b", {.workers = 4, .micro_batches = 6}, {2, 0, 1, 1}});
  check_same_as_threads({"zb-h1", {.workers = 4, .micro_batches = 5}, {0, 2, 2, 0}});
  check_same_as_threads({"interleaved-1f1b",
                         {.workers = 4, .micro_batches = 5, .chunks = 2},
                         {},
                         {.recompute = weir::Recompute::always}});
  check_same_as_threads({"wpipe", {.workers = 4, .micro_batches = 12, .period = 4}});
}

TEST_CASE("what is rounded to 16 bits on its way is so over processes, too") {
  World const world;
  check_same_as_threads({.schedule = "zb-v",
                         .shape = {.workers = world.size(), .micro_batches = 2 * world.size()},
                         .codec = weir::EdgeCodec::half});
}

TEST_CASE("so is what is selected, and what is kept of the rest") {
  World const world;
  check_same_as_threads({.schedule = "1f1b",
                         .shape = {.workers = world.size(), .micro_batches = 2 * world.size()},
                         .codec = weir::EdgeCodec::sparse});
}

TEST_CASE(
    "a mesh of processes, of which one axis is a pipeline and one has replicas, follows the recurrence") {
  World const world;
  std::size_t const replicas = world.size() % 2 == 0 ? 2 : 1;
  std::size_t const p = world.size() / replicas;
  weir::Mesh const mesh{world.communicator, {{"data", replicas}, {"pipeline", p}}};
  weir::AdamW const optimizer{{.learning_rate = 0.01}};
  weir::ScheduleShape const shape{.workers = 2, .micro_batches = 8, .period = 2};
  auto const data = staged::samples(replicas * 2 * shape.micro_batches);
  for (char const* const schedule : {"wpipe", "pipedream-2bw"}) {
    CAPTURE(schedule);
    std::vector<std::size_t> delays{1, 1};
    if (schedule == std::string("wpipe")) delays = {1, 1, 0, 0};
    auto const expected = staged::delayed_recurrence<double>({.delays = delays,
                                                              .micro_batches = shape.micro_batches,
                                                              .period = shape.period,
                                                              .replicas = replicas},
                                                             data, staged::WrittenAdam{.rate = 0.01});
    staged::Stages<double> const stages(std::vector<std::size_t>(delays.size(), 1));
    // Each stage has ranks of its own, whose sums are under way at the same time.
    std::vector<weir::MpiCommunicator> of_stage;
    for (std::size_t stage = 0; stage < delays.size(); ++stage)
      of_stage.push_back(mesh.axis("data").split(0, mesh.coordinate("data")));
    weir::HostExecutor const executor;
    std::size_t const last = p - 1;
    Pipe<weir::MpiTransport> pipe{
        executor,
        make_table(schedule, shape),
        {.stages = stages.layouts, .local_batch = 2, .replica = mesh.coordinate("data")},
        {},
        weir::MpiTransport(mesh.axis("pipeline"), {.ranks = {0, last}})};
    std::vector<double> weights;
    std::vector<double> part_expected;
    for (std::size_t part = 0; part < pipe.parts(); ++part) {
      std::size_t const stage = pipe.stage_of(part);
      auto const initial = part_of(staged::initial_weights<double>(stages.total), stages, stage);
      weights.insert(weights.end(), initial.begin(), initial.end());
      auto const trained = part_of(expected, stages, stage);
      part_expected.insert(part_expected.end(), trained.begin(), trained.end());
    }
    auto sync = pipe.bind_each(
        [&](std::size_t unit) {
          return weir::LocalAggregator{} | weir::AllReduce{of_stage[pipe.stage_of(unit)]} | optimizer;
        },
        weir::view(weights));
    std::size_t const share = data.size() / replicas;
    for (int run = 0; run < 3; ++run)
      sync(pipe(staged::Batch(data).subspan(mesh.coordinate("data") * share, share), stages.list));
    sync.drain();
    CHECK(same_bits(weights, part_expected));
  }
}

TEST_CASE("skip edges, and messages that MPI sends only when they are received, give the bits of threads") {
  for (std::size_t const elements : {1u, 50'000u}) {
    World const world;
    auto const expected = train_skipping(elements, weir::ThreadTransport());
    for (auto const& [stage, weight] : train_skipping(elements, weir::MpiTransport(world.communicator))) {
      CHECK(stage == expected[stage].first);
      CHECK(weight == expected[stage].second);
      CHECK(weight != 0.75);
    }
  }
}

TEST_CASE("a stage that throws ends the run on all ranks, each with one error that names its operation") {
  World const world;
  bool const is_last = world.communicator.rank() + 1 == world.size();
  auto const begin = std::chrono::steady_clock::now();
  fail(world, is_last, {.throws = true}, 20s, [&](auto& sync) {
    try {
      sync.drain();
      CHECK(false);
    } catch (weir::PipelineError const& error) {
      CHECK((is_last ? has_cause<std::domain_error>(error) : has_cause<weir::PeerAborted>(error)));
      CHECK(error.worker() == world.communicator.rank());
    }
    sync.drain();
  });
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("a rank that does not go on is noticed by the watchdog of the others") {
  World const world;
  bool const is_late = world.communicator.rank() + 1 == world.size();
  fail(world, is_late, {.sleep = 1'500ms}, is_late ? 20'000ms : 100ms, [&](auto& sync) {
    try {
      sync.drain();
      CHECK(false);
    } catch (weir::PipelineStalled const& error) {
      CHECK_FALSE(is_late);
      std::string const text = error.what();
      CAPTURE(text);
      CHECK(text.find("waits for a message on edge ") != std::string::npos);
      CHECK(text.find("worker " + std::to_string(world.size() - 1) + " is in another process") !=
            std::string::npos);
    } catch (weir::PipelineError const& error) {
      CHECK(has_cause<weir::PeerAborted>(error));  // the one that is late, or that heard of it first
    }
  });
}

TEST_CASE(
    "a step that some ranks have made and others not is torn on all of them, until weights are restored") {
  World const world;
  weir::HostExecutor const executor;
  staged::Stages<double> const stages(std::vector<std::size_t>(world.size(), 1));
  auto const data = staged::samples(4);
  Pipe<weir::MpiTransport> pipe{executor,
                                make_table("1f1b", {.workers = world.size(), .micro_batches = 4}),
                                {.stages = stages.layouts},
                                {},
                                weir::MpiTransport(world.communicator)};
  std::vector<double> weights(staged::layer_parameters, 0.5);
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{}}).on(pipe, weir::view(weights));
  bool const is_first = world.communicator.rank() == 0;  // whose last backward is the last of all
  std::vector<Failing> const failing(world.size(), Failing{.throws_at_the_end = is_first});
  std::vector<Failing> const model(world.size());
  auto const run = [&](std::vector<Failing> const& stages_of_run) {
    sync(pipe(staged::Batch(data), stages_of_run));
    sync.drain();
  };
  run(model);
  auto const before = weights;
  run(model);
  auto const expected = weights;
  weights = before;
  sync.restored();
  try {
    run(failing);
    run(model);  // the others may have ended before they were told
    CHECK(false);
  } catch (weir::PipelineError const& error) {
    CHECK((is_first ? has_cause<std::domain_error>(error) : has_cause<weir::PeerAborted>(error)));
  }
  CHECK(sync.updates() == std::vector<std::uint64_t>{is_first ? 0u : 1u});
  for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(sync.reset(), weir::TornStep);
  weights = before;
  sync.restored();
  run(model);
  CHECK(same_bits(weights, expected));
}

TEST_CASE("what the ranks have to agree on is compared, and a placement that cannot be is refused") {
  World const world;
  std::uint32_t const p = world.size();
  staged::Stages<double> const stages(std::vector<std::size_t>(p, 1));
  auto const make = [&](weir::ScheduleTable const& table, std::vector<std::size_t> const& ranks,
                        std::size_t local_batch = 1) {
    weir::HostExecutor const executor;
    Pipe<weir::MpiTransport> const pipe{executor,
                                        table,
                                        {.stages = stages.layouts, .local_batch = local_batch},
                                        {},
                                        weir::MpiTransport(world.communicator, {.ranks = ranks})};
  };
  bool const is_first = world.communicator.rank() == 0;
  auto const table = make_table("1f1b", {.workers = p, .micro_batches = 4});
  CHECK_THROWS_AS(make(is_first ? table : make_table("gpipe", {.workers = p, .micro_batches = 4}), {}),
                  weir::FingerprintMismatch);
  CHECK_THROWS_AS(make(table, {}, is_first ? 1 : 2), weir::FingerprintMismatch);
  std::vector<std::size_t> ranks(p, 0);
  ranks[1] = 1;
  CHECK_THROWS_AS(make(table, is_first ? ranks : std::vector<std::size_t>(p, 0)), weir::FingerprintMismatch);
  ranks[1] = p;
  CHECK_THROWS_AS(make(table, ranks), weir::ContractViolation);
  CHECK_THROWS_AS(make(table, {0}), weir::ContractViolation);
  // Of one of two stages, whose gradient goes to the other copy.
  std::uint32_t const even = p + p % 2;
  auto const chimera = make_table("chimera", {.workers = even, .micro_batches = even});
  auto const with = [&](std::size_t elements) {
    weir::HostExecutor const executor;
    std::vector<weir::StageLayout> layouts(even, {.parameters = {3}, .outputs = {{1}}});
    layouts[0].parameters = {elements};
    Pipe<weir::MpiTransport> const pipe{
        executor, chimera, {.stages = layouts}, {}, weir::MpiTransport(world.communicator)};
  };
  with(4);
  CHECK_THROWS_AS(with(is_first ? 4 : 5), weir::FingerprintMismatch);
}

TEST_CASE("a message of another run or another size is refused by its tag") {
  World const world;
  std::size_t const rank = world.communicator.rank();
  std::byte memory[4 * 128];
  weir::MessagePool pool(memory, 128, 4);
  auto const message = [&](std::uint32_t run, std::size_t bytes) {
    return weir::PipelineMessage{.tag = {.run = run}, .data = pool.take(), .bytes = bytes, .home = &pool};
  };
  for (bool const is_of_other_size : {false, true}) {
    weir::MpiTransport transport(world.communicator, {.ranks = {0, 1}});
    CHECK(transport.is_here(transport.places(2)[0]) == (rank == 0));
    std::vector<weir::PipelineEdge> const edges{{.from = 0, .to = 1}};
    transport.open(edges, 1, {});
    if (rank == 0) {
      CHECK(transport.try_send(0, message(0, is_of_other_size ? 32 : 64)));
      while (!transport.try_flush(0)) {
      }
    } else if (rank == 1) {
      weir::MessageTag const due{.run = is_of_other_size ? 0u : 1u};
      transport.post_receive(0, due, message(due.run, 64));
      weir::PipelineMessage got;
      auto const receive = [&] {
        while (!transport.try_receive(0, due, got)) {
        }
      };
      if (is_of_other_size) {
        CHECK_THROWS_WITH_AS(receive(), "edge 0 -> 1 (F): 0F0 came with 32 bytes, 64 were due",
                             weir::ContractViolation);
      } else {
        CHECK_THROWS_WITH_AS(receive(), "edge 0 -> 1 (F) brought 0F0 of run 0 where 0F0 of run 1 was due",
                             weir::ContractViolation);
      }
    }
    CHECK(transport.close());
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

TEST_CASE("after a failure what was under way is thrown away, and messages go again") {
  constexpr std::size_t bytes = 100'000;  // more than MPI sends before it is received
  constexpr std::size_t distance = bytes + weir::MpiTransport::trailer_bytes;
  World const world;
  std::uint32_t const p = world.size();
  auto const rank = static_cast<std::uint32_t>(world.communicator.rank());
  std::vector<std::byte> memory(4 * p * distance);
  weir::MessagePool pool(memory.data(), distance, 4 * p);
  weir::MpiTransport transport(world.communicator, {.capacity = 3});
  (void)transport.places(p);
  std::vector<weir::PipelineEdge> edges;  // there and back: from 0 to each other rank
  for (std::uint32_t other = 1; other < p; ++other) {
    edges.push_back({.from = 0, .to = other});
    edges.push_back({.from = other, .to = 0});
  }
  transport.open(edges, 1, {.micro_batches = 4});
  auto const message = [&](std::uint32_t run, std::uint32_t micro_batch) {
    return weir::PipelineMessage{
        .tag = {.run = run, .micro_batch = micro_batch}, .data = pool.take(), .bytes = bytes, .home = &pool};
  };
  std::size_t const edge = rank == 0 ? 0 : 2 * rank - 2;  // of this rank
  auto const receive = [&](std::size_t from, weir::MessageTag const& tag) {
    weir::PipelineMessage got;
    while (!transport.try_receive(from, tag, got)) {
    }
    return got;
  };
  for (std::uint32_t run = 0; run < 3; ++run) {
    if (rank == 0) {
      for (std::size_t to = 0; to < edges.size(); to += 2) {
        for (std::uint32_t i = 0; i < 3; ++i) CHECK(transport.try_send(to, message(run, i)));
      }
      transport.post_receive(1, {.run = run}, message(run, 0));  // nobody sends it
      transport.cancel();
    } else {
      for (std::uint32_t const i : {1u, 3u}) transport.post_receive(edge, {run, i}, message(run, i));
      CHECK_THROWS_AS(receive(edge, {run, 3}), weir::PeerAborted);
    }
    transport.clear();
    pool.refill();
    weir::PipelineMessage const sent = message(run, 0);
    if (rank == 0) {
      sent.data[bytes - 1] = std::byte{7};
      for (std::size_t to = 0; to < edges.size(); to += 2) {
        CHECK(transport.try_send(to, sent));
        while (!transport.try_flush(to)) {
        }
      }
    } else {
      transport.post_receive(edge, sent.tag, sent);
      CHECK(receive(edge, sent.tag).data[bytes - 1] == std::byte{7});
    }
    pool.refill();
    transport.clear();  // does nothing
    MPI_Barrier(MPI_COMM_WORLD);
  }
  CHECK(transport.close());
}

TEST_CASE("a rank that does not clear its transport is named by the deadline, and others cannot go on") {
  World const world;
  weir::MpiCommunicator const hasty(MPI_COMM_WORLD, {.deadline = 300ms});
  weir::MpiTransport transport(hasty, {.ranks = {0, 1}});
  (void)transport.places(2);
  std::vector<weir::PipelineEdge> const edges{{.from = 0, .to = 1}};
  transport.open(edges, 1, {});
  if (hasty.rank() == 0) {
    transport.cancel();
    for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(transport.clear(), weir::PeerTimeout);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

TEST_CASE("a table that needs more tags than MPI has is refused") {
  World const world;
  weir::MpiTransport transport(world.communicator, {.ranks = {0, 1}});
  (void)transport.places(2);
  CHECK_THROWS_WITH_AS(transport.open({}, 1, {.stages = 1u << 30, .micro_batches = 1u << 31}),
                       doctest::Contains("this table needs"), weir::ContractViolation);
}
