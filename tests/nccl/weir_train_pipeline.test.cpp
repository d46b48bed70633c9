// How weir-train trains ranks with a pipeline each that are joined by NCCL, on the stand-ins: the program's
// own trainer, beside the same ranks without pipelines, and joined through host memory.
#if __has_include(<cublas_v2.h>)  // a CUDA without it has no weir-train for GPUs
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#define WEIR_TRAIN_WITH_CUDA 1
#define WEIR_TRAIN_WITH_NCCL 1
#include "../../examples/apps/weir_train/gpu_pipelines.cpp"
#include "../../examples/apps/weir_train/gpu_pipelines_sparsified.cpp"
#include "../../examples/apps/weir_train/gpus.cpp"
#include "../../examples/apps/weir_train/gpus_sparsified.cpp"
#include "../../examples/apps/weir_train/make_network.cpp"
#include "cuda/weir_train_doubles.hpp"
#include "cuda/weir_train_runs.hpp"
#include "cuda/weir_train_sparse_doubles.hpp"
#include "support/cuda/masked_verbs.hpp"
#include "support/cuda/verbs.hpp"
#include "support/nccl/machine.hpp"

namespace {

using namespace weir_train;
using nccl_ranks::Machine;

/// Each step has 24 samples, but the last of an epoch, which has 13.
Configuration piped(char const* schedule, std::size_t workers, std::size_t micro_batches, std::size_t ranks) {
  Configuration c = configuration(1, micro_batches);
  c.epochs = 2;
  c.device = DeviceKind::cuda;
  c.comm = CommKind::nccl;
  c.ranks = ranks;
  c.batch /= ranks;
  c.pipeline = PipelineSetup{.schedule = weir::find_schedule(schedule), .workers = workers};
  return c;
}

/// What NCCL was called for on each rank, in order.
using CallsOfRanks = std::map<int, std::vector<std::pair<std::string, std::size_t>>>;

Outcome train(Configuration const& c, std::uint64_t seed = 1) {
  Machine machine(c.ranks, {}, seed);
  check_gpus(c);
  Outcome const outcome = c.pipeline ? train_pipelines_on_gpus({c, data()}) : train_on_gpus({c, data()});
  std::size_t const launches = machine.cuda.calls()["cudaGraphLaunch"];
  // 6 full steps an epoch, of which the first of all is not captured.
  CHECK(launches == (c.capture ? c.ranks * (c.epochs * 6 - 1) : 0));
  CHECK(machine.nccl.mismatches() == 0);
  if (c.pipeline && c.comm == CommKind::nccl) {
    CHECK(machine.nccl.inventory().made == c.ranks);  // the stages share one
    CallsOfRanks calls;
    for (auto const& call : machine.nccl.calls()) calls[call.rank].emplace_back(call.name, call.count);
    for (auto const& [rank, of_rank] : calls) CHECK(of_rank == calls[0]);
  }
  return outcome;
}

void check_run(Configuration c, Outcome const& expected) {
  std::string const name = c.pipeline->schedule->traits.name;
  CAPTURE(name);
  CAPTURE(c.ranks);
  for (bool const capture : {false, true}) {
    c.capture = capture;
    CAPTURE(capture);
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      Outcome const outcome = train(c, seed);
      CHECK(outcome.weights_hash == expected.weights_hash);
      CHECK(outcome.train_loss == doctest::Approx(expected.train_loss).epsilon(1e-12));
      CHECK(outcome.steps == expected.steps);
      CHECK(outcome.bytes_sent_per_step == expected.bytes_sent_per_step);
    }
  }
}

}  // namespace

TEST_CASE("weir-train over NCCL: ranks with a pipeline each give the weights of as many ranks without") {
  for (std::size_t const ranks : {2u, 3u}) {
    Configuration plain = piped("1f1b", 2, 4, ranks);
    plain.pipeline.reset();
    Outcome const expected = train(plain);
    for (char const* name : {"gpipe", "1f1b", "zb-v"}) check_run(piped(name, 2, 4, ranks), expected);
    check_run(piped("interleaved-1f1b", 3, 4, ranks), expected);
    plain.comm = CommKind::threads;
    CHECK(train(plain).weights_hash == expected.weights_hash);
  }
  Configuration alone = piped("1f1b", 2, 4, 1);
  alone.pipeline.reset();
  check_run(piped("1f1b", 2, 4, 1), train(alone));
}

TEST_CASE(
    "weir-train over NCCL: schedules of two directions, and without a flush, have the bits of threads") {
  Configuration chimera = piped("chimera", 2, 4, 2);
  Configuration threads = chimera;
  threads.comm = CommKind::threads;
  check_run(chimera, train(threads));
  for (char const* name : {"pipedream-2bw", "wpipe"}) {
    CAPTURE(name);
    Configuration late = piped(name, 2, 2, 2);
    late.learning_rate = 0.02;
    Outcome const outcome = train(late);
    late.comm = CommKind::threads;
    CHECK(train(late, 2).weights_hash == outcome.weights_hash);
  }
}

TEST_CASE("weir-train over NCCL: pipelines send the largest elements too, eager and captured") {
  Configuration c = piped("1f1b", 2, 4, 2);
  c.sparsification = {.density = 0.1, .estimator = Estimator::histogram, .stages = {}, .has_feedback = true};
  Configuration threads = c;
  threads.comm = CommKind::threads;
  check_run(c, train(threads));
}

TEST_CASE("weir-train over NCCL: the bytes that pipelines say they send are those of their collectives") {
  Configuration c = piped("1f1b", 2, 4, 2);
  c.sparsification = {.density = 0.1, .estimator = Estimator::histogram, .stages = {}, .has_feedback = true};
  c.bucket_bytes.reset();  // a bucket for all parameters of a stage
  Machine const machine(2);
  Outcome const outcome = train_pipelines_on_gpus({c, data()});
  std::size_t bytes = 0;
  for (auto const& call : machine.nccl.calls()) {
    // Fingerprints and layouts are shorter.
    if (call.rank == 0 && call.name == "ncclAllGather" && call.count > 32) bytes += call.count;
  }
  CHECK(bytes == outcome.bytes_sent_per_step * outcome.steps);
}

TEST_CASE(
    "weir-train over NCCL: weights that leave all bounds end the pipelines of all ranks with an error") {
  for (bool const capture : {false, true}) {
    Configuration c = piped("1f1b", 2, 4, 2);
    c.learning_rate = 1e30;
    c.capture = capture;
    Machine const machine(2);
    CHECK_THROWS_AS(train_pipelines_on_gpus({c, data()}), RunError);
  }
}

TEST_CASE("weir-train over NCCL: what fails on one rank ends the pipelines of all, and is what is told") {
  for (char const* name : {"1f1b", "interleaved-1f1b", "wpipe"}) {
    CAPTURE(name);
    Machine machine(3, {.tells_others = true});
    machine.nccl.fail("ncclAllReduce", ncclInternalError);
    CHECK_THROWS_WITH_AS(train_pipelines_on_gpus({piped(name, 2, 4, 3), data()}),
                         doctest::Contains("ncclAllReduce"), weir::PipelineError);
  }
}
#endif
