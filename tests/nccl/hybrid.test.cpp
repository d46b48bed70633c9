// Pipelines whose stages have replicas on other devices, summed over NCCL or through host memory: on the
// stand-ins, with the bits of threads. The samples of all are told, for shares of any size.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "support/bits.hpp"
#include "support/cuda/chain.hpp"
#include "support/has_cause.hpp"
#include "support/nccl/machine.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/staged_communicator.hpp"
#include "weir/gradient/all_reduce.hpp"

using chain::Chain;
using nccl_ranks::Machine;
using weir::CudaExecutor;
using weir::NcclCommunicator;
using weir::ThreadCommunicator;

namespace {

constexpr int runs = 4;

/// What the replicas do, each on its share of the samples.
struct Replicas {
  std::string schedule = "1f1b";
  weir::ScheduleShape shape = {};
  std::vector<std::size_t> shares = {};
  std::uint32_t versions = 1;
  std::size_t flushes_per_update = 1;
  bool is_captured = false;

  std::size_t samples() const {
    std::size_t sum = 0;
    for (std::size_t const share : shares) sum += share;
    return sum;
  }
};

/// The weights of a replica after its runs. `of_stage`: what connects it with the others, by stage.
template <class E, class Communicator>
std::vector<float> train(E const& executor, std::vector<Communicator> const& of_stage, std::size_t replica,
                         Replicas const& all, bool is_told) {
  constexpr bool is_on_device = std::is_same_v<E, CudaExecutor>;
  auto const table = weir::find_schedule(all.schedule)->make_table(all.shape);
  std::size_t const stages = table.properties().stages;
  weir::PipelineOptions options{.local_batch = chain::batch,
                                .seed = 7,
                                .remainder = weir::Remainder::partial,
                                .flushes_per_update = all.flushes_per_update,
                                .replica = replica,
                                .replicas = is_told ? all.shares.size() : 0};
  for (std::size_t stage = 0; stage < stages; ++stage)
    options.stages.push_back(
        {.parameters = {chain::width}, .outputs = {{chain::width}}, .saved = 2 * chain::width});
  weir::InterleavedPipeline<E, float, chain::Versions> pipe(executor, table, options,
                                                            chain::Versions{all.versions});
  auto const start = stand_in::initial_weights(stages * chain::width);
  auto const drawn = stand_in::samples_of(all.samples());
  std::size_t begin = 0;
  for (std::size_t before = 0; before < replica; ++before) begin += all.shares[before];
  weir::Buffer<float, E> const weights(executor, start.size());
  weir::Buffer<float, E> const samples(executor, all.shares[replica]);
  weir::from_host(executor, std::span<float const>(start), weights.view());
  weir::from_host(executor, std::span<float const>(drawn).subspan(begin, samples.size()), samples.view());
  auto sync = pipe.bind_each(
      [&](std::size_t unit) {
        return weir::LocalAggregator{} | weir::AllReduce{of_stage[unit]} |
               weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}};
      },
      weights.view());
  Chain const model;
  weir::ViewOn<float const, E> const view(samples.view());
  auto const run = [&] { sync(pipe(view, model, is_told ? all.samples() : 0)); };
  run();
  if constexpr (is_on_device) {
    if (all.is_captured) {
      auto const graph = weir::CudaGraph::capture(executor, run);
      for (int replay = 2; replay < runs; ++replay) graph.replay();
      sync.replayed(runs - 2);
    }
  }
  for (int i = all.is_captured ? runs - 1 : 1; i < runs; ++i) run();
  sync.drain();
  return weir::to_host(executor, weights.view());
}

/// Each stage has a communicator of its own, and a thread.
std::vector<float> train_on_host(Replicas all, bool is_told) {
  all.is_captured = false;
  std::vector<std::vector<float>> results(all.shares.size());
  on_all_thread_ranks(
      all.shares.size(), [&](ThreadCommunicator const& communicator, weir::HostExecutor const& executor) {
        std::vector<ThreadCommunicator> of_stage;
        for (int stage = 0; stage < 8; ++stage)
          of_stage.push_back(communicator.split(0, communicator.rank()));
        results[communicator.rank()] = train(executor, of_stage, communicator.rank(), all, is_told);
      });
  for (auto const& weights : results) CHECK(same_bits(weights, results.front()));
  return results.front();
}

std::vector<Replicas> cases() {
  std::vector<Replicas> cases;
  for (char const* name : {"gpipe", "1f1b", "zb-h1", "interleaved-1f1b"}) {
    weir::ScheduleShape const shape{.workers = 2, .micro_batches = 4};
    for (auto const& shares : std::vector<std::vector<std::size_t>>{{8, 8}, {8, 3}, {8, 5, 0}})
      cases.push_back({.schedule = name, .shape = shape, .shares = shares});
  }
  cases.push_back({.schedule = "chimera", .shape = {.workers = 4, .micro_batches = 4}, .shares = {8, 5}});
  cases.push_back({.shape = {.workers = 3, .micro_batches = 4}, .shares = {8, 1}, .flushes_per_update = 2});
  // The last update of each run is over part of its micro-batches.
  cases.push_back({.schedule = "wpipe",
                   .shape = {.workers = 2, .micro_batches = 8, .period = 2},
                   .shares = {11, 9},
                   .versions = 2});
  cases.push_back({.schedule = "pipedream-2bw",
                   .shape = {.workers = 3, .micro_batches = 9, .period = 3},
                   .shares = {16, 13, 14},
                   .versions = 2});
  cases.push_back({.schedule = "pipedream",
                   .shape = {.workers = 3, .micro_batches = 7},
                   .shares = {14, 13},
                   .versions = 3});
  return cases;
}

/// One communicator for all stages, since one thread enqueues what they do.
template <class Communicator>
std::vector<Communicator> shared_by_stages(Communicator const& communicator) {
  return std::vector<Communicator>(8, communicator);
}

}  // namespace

TEST_CASE("samples that are told give the bits of samples that replicas count") {
  for (Replicas const& all : cases()) {
    CAPTURE(all.schedule);
    CAPTURE(all.shares.size());
    CHECK(same_bits(train_on_host(all, true), train_on_host(all, false)));
  }
}

TEST_CASE("replicas over NCCL have the bits of threads, enqueued and captured, in any order of the streams") {
  for (Replicas all : cases()) {
    auto const expected = train_on_host(all, true);
    for (bool const is_captured : {false, true}) {
      if (is_captured && (all.versions != 1 || all.flushes_per_update != 1)) continue;
      all.is_captured = is_captured;
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(all.schedule);
        CAPTURE(is_captured);
        CAPTURE(seed);
        Machine const machine(all.shares.size(), {}, seed);
        nccl_ranks::on_ranks(
            all.shares.size(), [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
              CHECK(same_bits(train(executor, shared_by_stages(communicator), communicator.rank(), all, true),
                              expected));
            });
        CHECK(machine.nccl.mismatches() == 0);
      }
    }
  }
}

TEST_CASE("all replicas call their collectives in one order, also those of the first run") {
  Replicas const all{
      .schedule = "interleaved-1f1b", .shape = {.workers = 2, .micro_batches = 4}, .shares = {8, 5, 0}};
  Machine const machine(3);
  nccl_ranks::on_ranks(3, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    train(executor, shared_by_stages(communicator), communicator.rank(), all, true);
  });
  std::map<int, std::vector<std::pair<std::string, std::size_t>>> calls;
  for (auto const& call : machine.nccl.calls()) calls[call.rank].emplace_back(call.name, call.count);
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].size() > 4 * 4);
  CHECK(calls[1] == calls[0]);
  CHECK(calls[2] == calls[0]);
}

TEST_CASE("replicas whose gradients go through host memory have the bits of threads") {
  for (Replicas const& all : cases()) {
    CAPTURE(all.schedule);
    auto const expected = train_on_host(all, true);
    Machine const machine(all.shares.size());
    on_all_thread_ranks(
        all.shares.size(), [&](ThreadCommunicator const& communicator, weir::HostExecutor const&) {
          cudaSetDevice(static_cast<int>(communicator.rank()));
          CudaExecutor const executor;
          auto const of_stage = shared_by_stages(weir::StagedCommunicator(communicator));
          CHECK(same_bits(train(executor, of_stage, communicator.rank(), all, true), expected));
        });
  }
}

TEST_CASE(
    "a collective that fails on one replica ends the runs of all, without a flush too, and is the cause") {
  for (Replicas const& all : cases()) {
    CAPTURE(all.schedule);
    Machine machine(all.shares.size(), {.tells_others = true});
    machine.nccl.fail("ncclAllReduce", ncclInternalError);
    auto const failures = nccl_ranks::failures_of_ranks(
        all.shares.size(), {}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
          train(executor, shared_by_stages(communicator), communicator.rank(), all, true);
        });
    std::size_t causes = 0;
    for (auto const& failure : failures) {
      try {
        REQUIRE(failure);
        std::rethrow_exception(failure);
      } catch (weir::PipelineError const& error) {
        if (has_cause<weir::NcclError>(error)) ++causes;
        CHECK((has_cause<weir::NcclError>(error) || has_cause<weir::PeerAborted>(error)));
      }
    }
    CHECK(causes >= 1);
  }
}

TEST_CASE("on a device the samples of all replicas have to be told") {
  Machine const machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    Replicas const all{.shape = {.workers = 2, .micro_batches = 4}, .shares = {8, 5}};
    CHECK_THROWS_WITH_AS(train(executor, shared_by_stages(communicator), communicator.rank(), all, false),
                         doctest::Contains("on a device they have to be told"), weir::PipelineError);
  });
}
