// Pipelines whose stages have replicas, each group of which sums its gradients with an AllReduce.
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include "pipeline/delayed_recurrence.hpp"
#include "pipeline/staged_model.hpp"
#include "support/bits.hpp"
#include "support/ranks.hpp"
#include "weir/comm/mesh.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"

TEST_CASE("p x R replicated stages give the bits of one process with the same order of sums") {
  constexpr std::size_t replicas = 2;
  constexpr std::uint32_t m = 4;
  weir::Sgd const optimizer{{.learning_rate = 0.1, .momentum = 0.5}};
  auto const data = staged::samples(replicas * 2 * m);
  for (std::uint32_t const p : {2u, 4u}) {
    auto const expected = staged::train_whole<double>(p, data, 2, replicas * m, 5, optimizer, true, replicas);
    std::vector<std::vector<double>> results(replicas, staged::initial_weights<double>(p));
    on_ranks(replicas, [&](weir::ThreadCommunicator const& communicator) {
      std::size_t const rank = communicator.rank();
      staged::Stages<double> const stages(std::vector<std::size_t>(p, 1), true);
      weir::HostExecutor const executor;
      weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
          executor,
          staged::make_table("1f1b", {.workers = p, .micro_batches = m}),
          {.stages = stages.layouts, .local_batch = 2, .seed = 9, .replica = rank}};
      std::vector<weir::ThreadCommunicator> of_stage;
      for (std::uint32_t stage = 0; stage < p; ++stage) of_stage.push_back(communicator.split(0, rank));
      auto sync = pipe.bind_each(
          [&](std::size_t unit) {
            return weir::LocalAggregator{} | weir::AllReduce{of_stage[unit]} | optimizer;
          },
          weir::view(results[rank]));
      for (int step = 0; step < 5; ++step)
        sync(pipe(staged::Batch(data).subspan(rank * 2 * m, 2 * m), stages.list));
      sync.drain();
    });
    CHECK(same_bits(results[0], expected));
    CHECK(same_bits(results[1], expected));
  }
}

namespace {

struct Delayed {
  char const* schedule;
  weir::ScheduleShape shape;
  std::vector<std::size_t> delays;  // of each stage, which is one layer
};

/// As many versions as any of them needs.
struct TwoVersions {
  std::uint32_t versions(std::uint32_t, std::uint32_t) const { return 2; }
};

/// The weights of each replica after three runs.
template <class Optimizer>
std::vector<std::vector<double>> train_replicas(Delayed const& the, std::size_t replicas, staged::Batch data,
                                                Optimizer const& optimizer) {
  std::size_t const layers = the.delays.size();
  std::vector<std::vector<double>> results(replicas, staged::initial_weights<double>(layers));
  on_ranks(replicas, [&](weir::ThreadCommunicator const& communicator) {
    staged::Stages<double> const stages(std::vector<std::size_t>(layers, 1));
    // The updates of stages are under way at the same time: each has ranks of its own.
    std::vector<weir::Mesh<weir::ThreadCommunicator>> mesh_of_stage;
    for (std::size_t stage = 0; stage < layers; ++stage)
      mesh_of_stage.emplace_back(communicator, std::vector<weir::MeshAxis>{{"data", replicas}});
    std::size_t const replica = mesh_of_stage[0].coordinate("data");
    weir::HostExecutor const executor;
    weir::InterleavedPipeline<weir::HostExecutor, double, TwoVersions> pipe{
        executor,
        staged::make_table(the.schedule, the.shape),
        {.stages = stages.layouts, .local_batch = 2, .seed = 9, .replica = replica}};
    auto sync = pipe.bind_each(
        [&](std::size_t unit) {
          return weir::LocalAggregator{} | weir::AllReduce{mesh_of_stage[unit].axis("data")} | optimizer;
        },
        weir::view(results[replica]));
    std::size_t const share = data.size() / replicas;
    for (int run = 0; run < 3; ++run) sync(pipe(data.subspan(replica * share, share), stages.list));
    sync.drain();
  });
  return results;
}

}  // namespace

TEST_CASE("replicas of pipelines without a flush, over a mesh, follow the recurrence of delayed updates") {
  std::size_t const replicas = 2;
  for (Delayed const& the : std::vector<Delayed>{
           {"wpipe", {.workers = 2, .micro_batches = 8, .period = 2}, {1, 1, 0, 0}},
           {"wpipe", {.workers = 4, .micro_batches = 12, .period = 4}, {1, 1, 1, 1, 0, 0, 0, 0}},
           {"pipedream-2bw", {.workers = 2, .micro_batches = 8, .period = 2}, {1, 1}},
           {"pipedream-2bw", {.workers = 4, .micro_batches = 12, .period = 3}, {1, 1, 1, 1}},
           {"pipedream", {.workers = 2, .micro_batches = 6, .period = 1}, {1, 0}}}) {
    CAPTURE(the.schedule);
    CAPTURE(the.shape.workers);
    staged::Delayed const written{.delays = the.delays,
                                  .micro_batches = the.shape.micro_batches,
                                  .period = the.shape.period,
                                  .replicas = replicas};
    // The last micro-batch of each replica is smaller than the others.
    auto const data = staged::samples(replicas * (2 * the.shape.micro_batches - 1));
    auto const check = [&](auto const& optimizer, auto const& rule) {
      auto const expected = staged::delayed_recurrence<double>(written, data, rule);
      auto const results = train_replicas(the, replicas, data, optimizer);
      for (auto const& weights : results) CHECK(same_bits(weights, expected));
    };
    check(weir::Sgd{{.learning_rate = 0.1, .momentum = 0.5}},
          staged::WrittenSgd{.rate = 0.1, .momentum = 0.5});
    check(weir::AdamW{{.learning_rate = 0.01}}, staged::WrittenAdam{.rate = 0.01});
  }
}

namespace {

/// Holds an update up, so that the next run comes while it is under way.
struct Pause {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  static constexpr char const* name = "pause";

  template <weir::HostOrderedExecutor E, class Real>
  auto on(weir::RecipeContext<E, Real> const&) const {
    return [](weir::DenseGradient<E, Real> const& gradient) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return gradient;
    };
  }
};

}  // namespace

TEST_CASE("a run without samples leaves the gradients of the update before it alone") {
  constexpr std::uint32_t p = 2;
  auto const data = staged::samples(8);
  weir::Sgd const optimizer{{.learning_rate = 0.1}};
  auto const expected = staged::train_whole<double>(p, data, 2, 4, 2, optimizer);
  for (char const* schedule : {"1f1b", "wpipe"}) {
    CAPTURE(schedule);
    auto const train = [&](bool has_empty_runs) {
      staged::Stages<double> const stages(std::vector<std::size_t>{1, 1, 0, 0});
      bool const is_cut_twice = std::string_view(schedule) == "wpipe";
      std::vector<weir::StageLayout> layouts = stages.layouts;
      if (!is_cut_twice) layouts.resize(p);
      std::vector<double> weights = staged::initial_weights<double>(p);
      auto const table = staged::make_table(schedule, {.workers = p, .micro_batches = 4});
      weir::HostExecutor const executor;
      weir::InterleavedPipeline<weir::HostExecutor, double, weir::DoubleBuffer> pipe{
          executor, table, {.stages = layouts, .local_batch = 2, .seed = 9}};
      auto sync = (weir::LocalAggregator{} | Pause{} | optimizer).on(pipe, weir::view(weights));
      for (int step = 0; step < 2; ++step) {
        sync(pipe(staged::Batch(data), stages.list));
        if (has_empty_runs) sync(pipe(staged::Batch(data).first(0), stages.list));
      }
      sync.drain();
      return weights;
    };
    if (std::string_view(schedule) == "1f1b") CHECK(same_bits(train(true), expected));
    CHECK(same_bits(train(true), train(false)));
  }
}
