// Pipelines whose workers are GPUs joined by NCCL: on the stand-ins, with the bits of threads.
#include "weir/nccl/transport.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "support/bits.hpp"
#include "support/cuda/chain.hpp"
#include "support/has_cause.hpp"
#include "support/nccl/machine.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/gradient/all_reduce.hpp"

using namespace std::chrono_literals;
using chain::Case;
using chain::Chain;
using nccl_ranks::contains;
using nccl_ranks::Machine;
using weir::CudaExecutor;
using weir::NcclCommunicator;
using Transport = weir::NcclTransport<CudaExecutor>;
using Trainer = chain::Trainer<CudaExecutor, Transport>;

namespace {

/// Those of the stages that a pipeline has, out of those of all stages.
std::vector<float> part_of(std::vector<float> const& all, Trainer& trainer, std::size_t empty) {
  std::vector<float> part;
  for (std::size_t i = 0; i < trainer.pipe().parts(); ++i) {
    std::size_t const stage = trainer.pipe().stage_of(i);
    auto const begin =
        all.begin() + static_cast<std::ptrdiff_t>((stage - (stage > empty ? 1 : 0)) * chain::width);
    part.insert(part.end(), begin, begin + static_cast<std::ptrdiff_t>(chain::width));
  }
  return part;
}

void check(Case const& c, std::size_t ranks, std::uint64_t seeds = 3) {
  CAPTURE(c.schedule);
  CAPTURE(ranks);
  auto const expected = chain::train(weir::HostExecutor(), c);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Machine const machine(ranks, {.in_progress = static_cast<int>(seed % 3)}, seed);
    nccl_ranks::on_ranks(ranks, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      Trainer trainer(executor, c, Transport(communicator));
      Chain model{.has_skip = c.has_skip};
      for (int step = 0; step < 3; ++step) {
        trainer.step(model);
        if (step == 0) CHECK(trainer.sync().evaluate(trainer.pipe()(trainer.view(), model)).samples == 0);
      }
      auto const weights = trainer.weights();
      CHECK(same_bits(weights, part_of(expected, trainer, c.empty)));
    });
    CHECK(machine.nccl.mismatches() == 0);
  }
}

Case const one_f_one_b{.schedule = "1f1b", .shape = {.workers = 2, .micro_batches = 4}};

/// What `f(trainer, rank)` throws on two ranks.
template <class Function>
std::vector<std::exception_ptr> failures_of_pair(std::chrono::milliseconds deadline, Function const& f) {
  return nccl_ranks::failures_of_ranks(
      2, {deadline}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        Trainer trainer(executor, one_f_one_b, Transport(communicator));
        f(trainer, communicator.rank());
      });
}

}  // namespace

TEST_CASE(
    "ranks over NCCL train to the bits of threads, whatever the schedule, in any order of the streams") {
  for (char const* name : {"gpipe", "1f1b", "zb-h1", "zb-h2"}) {
    check({.schedule = name, .shape = {.workers = 4, .micro_batches = 6}}, 4);
    check({.schedule = name, .shape = {.workers = 4, .micro_batches = 6}}, 2, 1);
  }
  for (char const* name : {"interleaved-1f1b", "looped-bfs", "zb-v", "dualpipe-v"}) {
    check({.schedule = name, .shape = {.workers = 2, .micro_batches = 5}}, 2);
    check({.schedule = name, .shape = {.workers = 3, .micro_batches = 6}}, 3, 1);
  }
  check({.schedule = "1f1b", .shape = {.workers = 3, .micro_batches = 1}}, 1, 1);
}

TEST_CASE("so they do without a flush, late by as many updates") {
  check({.schedule = "wpipe", .shape = {.workers = 2, .micro_batches = 8, .period = 2}, .versions = 2}, 2, 6);
  check({.schedule = "wpipe", .shape = {.workers = 4, .micro_batches = 12, .period = 4}, .versions = 2}, 4,
        1);
  check(
      {.schedule = "pipedream-2bw", .shape = {.workers = 3, .micro_batches = 9, .period = 3}, .versions = 2},
      3);
  check({.schedule = "pipedream", .shape = {.workers = 3, .micro_batches = 7}, .versions = 3}, 3);
}

TEST_CASE("so they do with recomputation, skip edges, stages without layers and short micro-batches") {
  weir::ScheduleShape const shape{.workers = 4, .micro_batches = 6};
  for (std::size_t const ranks : {2u, 4u}) {
    check({.schedule = "1f1b", .shape = shape, .recompute = weir::Recompute::always}, ranks, 1);
    check({.schedule = "zb-h1", .shape = shape, .has_skip = true}, ranks, 2);
    check({.schedule = "gpipe", .shape = shape, .empty = 2, .left_out = 3}, ranks, 1);
    check({.schedule = "1f1b", .shape = shape, .has_skip = true, .empty = 1}, ranks, 2);
  }
}

TEST_CASE("messages may overtake each other: receives are enqueued as sends are") {
  using enum weir::OperationKind;
  auto const cell = [](weir::OperationKind kind, std::uint16_t stage, std::uint32_t j) {
    return weir::Operation{.kind = kind, .stage = stage, .micro_batch = j};
  };
  weir::ScheduleTable const table(
      {.workers = 2, .stages = 2, .micro_batches = 2, .period = 2},
      std::vector<std::vector<weir::Operation>>{
          {cell(forward, 0, 0), cell(forward, 0, 1), cell(backward, 0, 0), cell(backward, 0, 1)},
          {cell(forward, 1, 1), cell(backward, 1, 1), cell(forward, 1, 0), cell(backward, 1, 0)}});
  CHECK_FALSE(weir::fifo_order(table).per_edge);
  check({.table = &table}, 2, 6);
}

TEST_CASE("a captured run, replayed, gives the bits of runs that were enqueued one by one") {
  auto const expected = [] {
    chain::Trainer<weir::HostExecutor> trainer(weir::HostExecutor(), one_f_one_b);
    Chain model;
    for (int step = 0; step < 6; ++step) trainer.step(model);
    return trainer.weights();
  }();
  Machine const machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    Trainer trainer(executor, one_f_one_b, Transport(communicator));
    Chain model;
    trainer.step(model);
    auto const graph = weir::CudaGraph::capture(executor, [&] { trainer.step(model); });
    for (int replay = 0; replay < 4; ++replay) graph.replay();
    trainer.sync().replayed(4);
    trainer.step(model);
    CHECK(same_bits(trainer.weights(), part_of(expected, trainer, 99)));
  });
}

TEST_CASE("a run that leaves out one of its waits is told, unless another one orders the same") {
  auto const violations = [](std::size_t dropped, std::size_t& waits) {
    stand_in::Session session({.devices = 2, .seed = dropped + 1});
    stand_in_nccl::Session const nccl;
    std::atomic<int> ready = 0;
    auto const failures = failures_of_pair(20s, [&](Trainer& trainer, std::size_t rank) {
      Chain model;
      trainer.step(model);
      trainer.weights();
      // One rank after the other, so that waits have numbers.
      while (ready != static_cast<int>(rank)) std::this_thread::yield();
      std::size_t const before = session.waits();
      if (rank == 0) session.drop_wait(dropped);
      trainer.step(model);
      trainer.step(model);
      waits += session.waits() - before;
      ++ready;
      while (ready != 2) std::this_thread::yield();
      if (rank == 0) session.drop_wait(0);
      trainer.weights();
    });
    for (auto const& failure : failures) CHECK(text_of(failure) == "");
    return session.take_violations();
  };
  std::size_t waits = 0;
  CHECK(violations(0, waits).empty());
  std::size_t told = 0;
  std::size_t unused = 0;
  for (std::size_t dropped = 1; dropped <= waits; dropped += 3)
    told += violations(dropped, unused).empty() ? 0 : 1;
  CHECK(told > waits / 6);
}

TEST_CASE("a rank that does not come is an error that names the message and its edge, within the deadline") {
  Machine const machine(2);
  std::atomic<bool> is_over = false;
  auto const failures = failures_of_pair(1s, [&](Trainer& trainer, std::size_t rank) {
    Chain model;
    trainer.step(model);
    trainer.weights();
    if (rank == 1) {
      while (!is_over) std::this_thread::sleep_for(1ms);
      return;
    }
    auto const begin = std::chrono::steady_clock::now();
    trainer.step(model);
    try {
      trainer.sync().drain();
      FAIL("no error");
    } catch (weir::PipelineError const& error) {
      CHECK(has_cause<weir::PeerTimeout>(error));
      std::string const text = error.what();
      CAPTURE(text);
      bool const is_output =
          contains(text, "worker 0, 0F0: exchange number") && contains(text, "it was 0F0 on edge 0 -> 1 (F)");
      bool const is_gradient =
          contains(text, "worker 0, 1B0: exchange number") && contains(text, "it was 1B0 on edge 1 -> 0 (B)");
      CHECK((is_output || is_gradient));
    }
    CHECK(std::chrono::steady_clock::now() - begin < 20s);
    trainer.sync().drain();
    CHECK_THROWS_AS(trainer.step(model), weir::ContractViolation);
    CHECK_THROWS_WITH_AS(trainer.sync().reset(),
                         doctest::Contains("over NCCL that has failed cannot be reset"),
                         weir::ContractViolation);
    is_over = true;
  });
  for (auto const& failure : failures) CHECK(text_of(failure) == "");
}

TEST_CASE("a stage that throws ends the run on all ranks, each with one error") {
  Machine const machine(2, {.tells_others = true});
  std::atomic<int> ready = 0;
  auto const failures = failures_of_pair(20s, [&](Trainer& trainer, std::size_t rank) {
    Chain model;
    trainer.step(model);
    trainer.weights();
    ++ready;
    while (ready != 2) std::this_thread::yield();
    if (rank == 1) model.throws_at = 1;
    trainer.step(model);
    try {
      trainer.sync().drain();
      FAIL("no error");
    } catch (weir::PipelineError const& error) {
      CHECK((rank == 1 ? has_cause<std::runtime_error>(error) : has_cause<weir::PeerAborted>(error)));
      CHECK(error.worker() == rank);
      if (rank == 1) CHECK(contains(error.what(), "worker 1, 1B0: no more"));
    }
    trainer.sync().drain();
  });
  for (auto const& failure : failures) CHECK(text_of(failure) == "");
}

TEST_CASE("replicas sum over NCCL what each stage has, and an all-reduce that hangs ends the run of all") {
  std::vector<float> const start(2 * chain::width, 1);
  Machine const machine(2);
  std::atomic<bool> is_over = false;
  std::mutex mutex;
  std::vector<std::vector<float>> results;
  auto const failures = nccl_ranks::failures_of_ranks(
      2, {1s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        std::size_t const rank = communicator.rank();
        auto const table = weir::find_schedule("1f1b")->make_table({.workers = 2, .micro_batches = 2});
        weir::StageLayout const layout{
            .parameters = {chain::width}, .outputs = {{chain::width}}, .saved = 2 * chain::width};
        weir::InterleavedPipeline<CudaExecutor, float, chain::Versions> pipe(
            executor, table,
            {.stages = {layout, layout}, .local_batch = chain::batch, .replica = rank, .replicas = 2});
        weir::Buffer<float, CudaExecutor> const weights(executor, start.size());
        weir::Buffer<float, CudaExecutor> const samples(executor, 2 * chain::batch);
        auto const all = stand_in::samples_of(2 * samples.size());
        weir::from_host(executor, std::span<float const>(start), weights.view());
        weir::from_host(executor, std::span<float const>(all).subspan(rank * samples.size(), samples.size()),
                        samples.view());
        std::vector<NcclCommunicator> const of_stage{communicator.split(0, rank),
                                                     communicator.split(0, rank)};
        auto sync = pipe.bind_each(
            [&](std::size_t unit) {
              return weir::LocalAggregator{} | weir::AllReduce{of_stage[unit]} |
                     weir::Sgd{{.learning_rate = 0.125}};
            },
            weights.view());
        Chain const model;
        weir::ViewOn<float const, CudaExecutor> const view(samples.view());
        sync(pipe(view, model));
        sync.drain();
        {
          std::lock_guard const lock(mutex);
          results.push_back(weir::to_host(executor, weights.view()));
        }
        if (rank == 1) {
          while (!is_over) std::this_thread::sleep_for(1ms);
          return;
        }
        sync(pipe(view, model));
        CHECK_THROWS_AS(sync.drain(), weir::PipelineError);
        is_over = true;
      });
  for (auto const& failure : failures) CHECK(text_of(failure) == "");
  REQUIRE(results.size() == 2);
  CHECK(same_bits(results[0], results[1]));
  CHECK(!same_bits(results[0], start));
}

TEST_CASE("what the ranks have to agree on is compared, and what cannot be is refused") {
  Machine const machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto const make = [&](Case const& c, std::vector<std::size_t> const& ranks = {}) {
      Trainer(executor, c, Transport(communicator, {.ranks = ranks}));
    };
    bool const is_first = communicator.rank() == 0;
    Case other = one_f_one_b;
    other.schedule = "gpipe";
    CHECK_THROWS_WITH_AS(make(is_first ? one_f_one_b : other),
                         doctest::Contains("of rank 1 are not those of rank 0"), weir::FingerprintMismatch);
    CHECK_THROWS_AS(
        make(one_f_one_b, is_first ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{1, 0}),
        weir::FingerprintMismatch);
    CHECK_THROWS_AS(make(one_f_one_b, {0, 2}), weir::ContractViolation);
    // The two copies of a stage, on ranks that would each have half of its gradient.
    CHECK_THROWS_WITH_AS(make({.schedule = "chimera", .shape = {.workers = 2, .micro_batches = 2}}),
                         doctest::Contains("in another process"), weir::ContractViolation);
    make({.schedule = "chimera", .shape = {.workers = 2, .micro_batches = 2}}, {1, 1});
  });
}
