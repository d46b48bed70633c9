// Pipelines over several devices of one process: on the stand-in, with the bits of threads.
#include "weir/cuda/peer_transport.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "support/bits.hpp"
#include "support/cuda/chain.hpp"
#include "support/cuda/clean_session.hpp"
#include "weir/cuda/graph.hpp"

namespace {

using chain::Case;
using chain::Chain;
using Transport = weir::PeerTransport<weir::CudaExecutor>;
using Trainer = chain::Trainer<weir::CudaExecutor, Transport>;

std::vector<weir::CudaExecutor> executors(int devices) {
  std::vector<weir::CudaExecutor> all;
  for (int device = 0; device < devices; ++device) all.push_back(weir::CudaExecutor({.device = device}));
  return all;
}

void check(Case const& c, int devices, std::uint64_t seeds = 3) {
  CAPTURE(c.schedule);
  CAPTURE(devices);
  auto const expected = chain::train(weir::HostExecutor(), c);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    CleanSession const session({.devices = devices, .seed = seed});
    auto const all = executors(devices);
    CHECK(same_bits(chain::train(all[0], c, Transport(all)), expected));
  }
}

Case const one_f_one_b{.schedule = "1f1b", .shape = {.workers = 4, .micro_batches = 6}};

}  // namespace

TEST_CASE("every schedule over several devices gives the bits of threads, in any order of the streams") {
  for (char const* name : {"gpipe", "1f1b", "zb-h1", "zb-h2"}) {
    check({.schedule = name, .shape = {.workers = 4, .micro_batches = 6}}, 4);
    check({.schedule = name, .shape = {.workers = 4, .micro_batches = 6}}, 2);
  }
  for (char const* name : {"interleaved-1f1b", "looped-bfs", "zb-v", "dualpipe-v"})
    check({.schedule = name, .shape = {.workers = 2, .micro_batches = 5}}, 2);
  check({.schedule = "wpipe", .shape = {.workers = 2, .micro_batches = 8, .period = 2}, .versions = 2}, 2,
        10);
  check(
      {.schedule = "pipedream-2bw", .shape = {.workers = 3, .micro_batches = 9, .period = 3}, .versions = 2},
      3);
  check({.schedule = "pipedream", .shape = {.workers = 3, .micro_batches = 7}, .versions = 3}, 3);
}

TEST_CASE("so do recomputation, skip edges, stages without layers and short micro-batches") {
  for (int const devices : {2, 4}) {
    weir::ScheduleShape const shape{.workers = 4, .micro_batches = 6};
    check({.schedule = "1f1b", .shape = shape, .recompute = weir::Recompute::always}, devices);
    check({.schedule = "zb-h1", .shape = shape, .has_skip = true}, devices);
    check({.schedule = "gpipe", .shape = shape, .empty = 2, .left_out = 3}, devices);
    check({.schedule = "1f1b", .shape = shape, .has_skip = true, .empty = 1}, devices);
  }
}

TEST_CASE("a captured run over two devices, replayed, gives the bits of runs that were enqueued one by one") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CleanSession const session({.devices = 2, .seed = seed});
    auto const run = [&](bool is_captured) {
      auto const all = executors(2);
      Trainer trainer(all[0], one_f_one_b, Transport(all));
      Chain model;
      trainer.step(model);
      if (is_captured) {
        auto const graph = weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(model); });
        for (int replay = 0; replay < 3; ++replay) graph.replay();
        trainer.sync().replayed(3);
      } else {
        for (int step = 0; step < 3; ++step) trainer.step(model);
      }
      CHECK(trainer.sync().evaluate(trainer.pipe()(trainer.view(), model)).samples == 0);
      trainer.step(model);
      return trainer.weights();
    };
    CHECK(same_bits(run(true), run(false)));
  }
}

TEST_CASE(
    "a run over two devices that leaves out one of its waits is told, unless another one orders the same") {
  std::size_t waits = 0;
  auto const violations = [&](std::size_t dropped) {
    stand_in::Session session({.devices = 2, .seed = dropped + 1});
    {
      auto const all = executors(2);
      Trainer trainer(all[0], {.schedule = "1f1b", .shape = {.workers = 2, .micro_batches = 3}},
                      Transport(all));
      Chain model;
      trainer.step(model);
      trainer.weights();
      std::size_t const before = session.waits();
      session.drop_wait(dropped);
      trainer.step(model);
      trainer.step(model);
      waits = session.waits() - before;
      session.drop_wait(0);
      trainer.weights();
    }
    return session.take_violations();
  };
  CHECK(violations(0).empty());
  std::size_t const all = waits;
  std::size_t told = 0;
  for (std::size_t dropped = 1; dropped <= all; ++dropped) told += violations(dropped).empty() ? 0 : 1;
  CHECK(told > all / 2);
}

TEST_CASE("a stage that throws ends the run; the pipeline can be reset, as nothing hangs on the devices") {
  CleanSession const session({.devices = 2});
  auto const all = executors(2);
  Trainer trainer(all[0], one_f_one_b, Transport(all));
  Chain model;
  trainer.step(model);
  auto const before = trainer.weights();
  model.throws_at = 3;
  trainer.step(model);
  chain::check_failed_and_reset(trainer, model, 3, "3B0", before);
}

TEST_CASE("runs over two devices wait for nothing and allocate nothing") {
  CleanSession const session({.devices = 2});
  auto const all = executors(2);
  Trainer trainer(all[0], one_f_one_b, Transport(all));
  Chain model;
  trainer.step(model);
  trainer.weights();
  auto const before = session.calls();
  std::size_t const heap = stand_in::heap_allocations();
  for (int step = 0; step < 3; ++step) trainer.step(model);
  CHECK(stand_in::heap_allocations() == heap);
  auto const made = stand_in::calls_between(before, session.calls());
  for (char const* call :
       {"cudaStreamSynchronize", "cudaEventSynchronize", "cudaMalloc", "cudaEventCreateWithFlags"}) {
    CAPTURE(call);
    CHECK(made.count(call) == 0);
  }
  CHECK(made.at("cudaMemcpyAsync") == 3 * 2 * 6);  // between workers 1 and 2, there and back
  trainer.weights();
}

TEST_CASE("copies of a stage on two devices, weights of another device, and no such device are refused") {
  CleanSession const session({.devices = 2});
  auto const all = executors(2);
  CHECK_THROWS_WITH_AS(
      Trainer(all[0], {.schedule = "chimera", .shape = {.workers = 2, .micro_batches = 2}}, Transport(all)),
      doctest::Contains("on another device"), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(Trainer(all[0], one_f_one_b, Transport(all, {.devices = {0, 1, 2, 0}})),
                       doctest::Contains("on rank 2, there are 2"), weir::ContractViolation);
  weir::StageLayout const layout{.parameters = {3}, .outputs = {{1}}};
  auto const table = weir::find_schedule("1f1b")->make_table({.workers = 2, .micro_batches = 2});
  weir::InterleavedPipeline<weir::CudaExecutor, float, weir::Single, Transport> pipe(
      all[0], table, {.stages = {layout, layout}}, {}, Transport(all));
  weir::Buffer<float, weir::CudaExecutor> const weights(all[0], 6);
  CHECK_THROWS_WITH_AS((weir::LocalAggregator{} | weir::Sgd{{}}).on(pipe, weights.view()),
                       doctest::Contains("lie in memory of device 0"), weir::ContractViolation);
}
