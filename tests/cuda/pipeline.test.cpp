// Pipelines on CudaExecutor, on the stand-in: workers are streams, messages are events, and the weights have
// the bits of threads, whatever order the streams run in.
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
using chain::train;
using chain::Trainer;

void check(Case const& c, std::uint64_t seeds = 4, weir::CudaOptions const& options = {}) {
  CAPTURE(c.schedule);
  auto const expected = train(weir::HostExecutor(), c);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    CleanSession const session({.devices = 2, .seed = seed});
    CHECK(same_bits(train(weir::CudaExecutor(options), c), expected));
    CHECK(session.default_stream_operations() == 0);
  }
}

Case const one_f_one_b{.schedule = "1f1b", .shape = {.workers = 4, .micro_batches = 6}};

}  // namespace

TEST_CASE("every schedule gives the bits of threads, in any order of the streams") {
  for (char const* name : {"gpipe", "1f1b", "zb-h1", "zb-h2", "chimera"})
    check({.schedule = name, .shape = {.workers = 4, .micro_batches = 6}});
  for (char const* name : {"interleaved-1f1b", "looped-bfs", "zb-v", "dualpipe-v"})
    check({.schedule = name, .shape = {.workers = 2, .micro_batches = 5}});
  check({.schedule = "dualpipe", .shape = {.workers = 4, .micro_batches = 8}});
  check({.schedule = "wpipe", .shape = {.workers = 2, .micro_batches = 8, .period = 2}, .versions = 2}, 20);
  check(
      {.schedule = "pipedream-2bw", .shape = {.workers = 3, .micro_batches = 9, .period = 3}, .versions = 2});
  check({.schedule = "pipedream", .shape = {.workers = 3, .micro_batches = 7}, .versions = 3});
}

TEST_CASE("so do recomputation, skip edges, stages without layers and short micro-batches") {
  for (char const* name : {"gpipe", "1f1b", "zb-h1"}) {
    weir::ScheduleShape const shape{.workers = 4, .micro_batches = 6};
    check({.schedule = name, .shape = shape, .recompute = weir::Recompute::always});
    check({.schedule = name, .shape = shape, .has_skip = true});
    check({.schedule = name, .shape = shape, .empty = 2, .left_out = 3});
    check({.schedule = name, .shape = shape, .has_skip = true, .empty = 1});
  }
  check({.schedule = "interleaved-1f1b",
         .shape = {.workers = 2, .micro_batches = 4},
         .recompute = weir::Recompute::except_last,
         .has_skip = true});
}

TEST_CASE("so do a device that is not the current one, and streams with launch threads") {
  check(one_f_one_b, 4, {.device = 1});
  check(one_f_one_b, 4, {.device = 1, .launch_thread = true});
  check({.schedule = "wpipe", .shape = {.workers = 2, .micro_batches = 8, .period = 2}, .versions = 2}, 4,
        {.launch_thread = true});
}

namespace {

struct Watched {
  std::size_t waits = 0;  // of the first two runs
  std::vector<std::string> violations;
};

/// Three runs, and a reader of all weights on the caller's stream.
Watched run_without(Case const& c, std::size_t dropped) {
  stand_in::Session session({.seed = dropped + 1});
  Watched result;
  {
    Trainer<weir::CudaExecutor> trainer(weir::CudaExecutor(), c);
    Chain model{.has_skip = c.has_skip};
    trainer.step(model);
    trainer.weights();
    std::size_t const before = session.waits();
    session.drop_wait(dropped);
    trainer.step(model);
    trainer.step(model);
    result.waits = session.waits() - before;
    trainer.step(model);
    stand_in::enqueue(trainer.executor(), "the caller", trainer.reads_of_weights(), [] {});
    session.drop_wait(0);
    trainer.weights();
  }
  result.violations = session.take_violations();
  return result;
}

}  // namespace

TEST_CASE("a run that leaves out one of its waits is told, unless another one orders the same") {
  for (Case const& c :
       {Case{.schedule = "1f1b", .shape = {.workers = 2, .micro_batches = 4}},
        Case{.schedule = "zb-h1", .shape = {.workers = 4, .micro_batches = 4}, .has_skip = true}}) {
    CAPTURE(c.schedule);
    Watched const whole = run_without(c, 0);
    CHECK(whole.violations.empty());
    std::size_t told = 0;
    for (std::size_t dropped = 1; dropped <= whole.waits; ++dropped)
      told += run_without(c, dropped).violations.empty() ? 0 : 1;
    CHECK(told > whole.waits / 2);
  }
}

TEST_CASE("runs enqueue only: they wait for nothing, make nothing and allocate nothing") {
  CleanSession session;
  Trainer<weir::CudaExecutor> trainer(weir::CudaExecutor(), one_f_one_b);
  Chain model;
  trainer.step(model);
  trainer.weights();
  auto const before = session.calls();
  std::size_t const heap = stand_in::heap_allocations();
  for (int step = 0; step < 3; ++step) trainer.step(model);
  CHECK(stand_in::heap_allocations() == heap);
  for (auto const& entry : stand_in::calls_between(before, session.calls())) {
    std::string const& call = entry.first;
    CAPTURE(call);
    bool const enqueues = call == "cudaLaunchKernel" || call == "cudaEventRecord" ||
                          call == "cudaStreamWaitEvent" || call == "cudaGetDevice" ||
                          call == "cudaStreamIsCapturing";
    CHECK(enqueues);
  }
  trainer.weights();
}

TEST_CASE("a captured run, replayed, gives the bits of runs that were enqueued one by one") {
  for (Case const& c :
       {one_f_one_b, Case{.schedule = "zb-h1", .shape = {.workers = 2, .micro_batches = 4}},
        Case{
            .schedule = "interleaved-1f1b", .shape = {.workers = 2, .micro_batches = 4}, .has_skip = true}}) {
    CAPTURE(c.schedule);
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      CleanSession const session({.seed = seed});
      auto const run = [&](bool is_captured) {
        Trainer<weir::CudaExecutor> trainer(weir::CudaExecutor(), c);
        Chain model{.has_skip = c.has_skip};
        trainer.step(model);
        if (is_captured) {
          auto const graph = weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(model); });
          for (int replay = 0; replay < 5; ++replay) graph.replay();
          trainer.sync().replayed(5);
        } else {
          for (int step = 0; step < 5; ++step) trainer.step(model);
        }
        CHECK(trainer.sync().evaluate(trainer.pipe()(trainer.view(), model)).samples == 0);
        trainer.step(model);
        auto const weights = trainer.weights();
        CHECK(trainer.sync().updates() ==
              std::vector<std::uint64_t>(trainer.pipe().parts(), std::uint64_t{7}));
        return weights;
      };
      CHECK(same_bits(run(true), run(false)));
    }
  }
}

TEST_CASE("a pipeline whose runs differ is not captured") {
  CleanSession const session;
  Trainer<weir::CudaExecutor> trainer(
      weir::CudaExecutor(),
      {.schedule = "wpipe", .shape = {.workers = 2, .micro_batches = 4}, .versions = 2});
  Chain model;
  trainer.step(model);
  CHECK_THROWS_AS((void)weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(model); }),
                  weir::ContractViolation);
  trainer.step(model);
  trainer.weights();
}

TEST_CASE(
    "a stage that throws ends the run in one error that names worker and operation, also in a capture") {
  CleanSession const session;
  Trainer<weir::CudaExecutor> trainer(weir::CudaExecutor(), one_f_one_b);
  Chain model;
  trainer.step(model);
  auto const before = trainer.weights();
  model.throws_at = 2;
  CHECK_THROWS_AS((void)weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(model); }),
                  weir::PipelineError);
  trainer.step(model);
  chain::check_failed_and_reset(trainer, model, 2, "2B0", before);
}
