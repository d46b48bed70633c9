// How weir-train trains over a pipeline on a GPU, on the stand-in: the program's own trainer, beside the same
// run without a pipeline, and where that has no like, beside the pipeline on the host.
#if __has_include(<cublas_v2.h>)  // a CUDA without it has no weir-train for GPUs
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#define WEIR_TRAIN_WITH_CUDA 1
#include "../../examples/apps/weir_train/gpu_pipelines.cpp"
#include "../../examples/apps/weir_train/pipeline_threads.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/masked_verbs.hpp"
#include "support/cuda/verbs.hpp"
#include "weir_train_runs.hpp"

namespace {

using namespace weir_train;

/// Of `micro_batches` in an update.
Configuration piped(char const* schedule, std::size_t workers, std::size_t micro_batches,
                    std::size_t chunks = 0) {
  Configuration c = configuration(1, micro_batches);
  c.epochs = 2;
  c.device = DeviceKind::cuda;
  c.pipeline = PipelineSetup{.schedule = weir::find_schedule(schedule), .workers = workers, .chunks = chunks};
  return c;
}

/// The same samples in a step, shared out to ranks on threads.
Configuration over_ranks(Configuration c, std::size_t ranks) {
  c.ranks = ranks;
  c.comm = CommKind::threads;
  c.batch /= ranks;
  return c;
}

Configuration without_pipeline(Configuration c) {
  c.pipeline.reset();
  return c;
}

std::size_t launches(stand_in::Session const& session) {
  auto const calls = session.calls();
  return calls.count("cudaGraphLaunch") == 0 ? 0 : calls.at("cudaGraphLaunch");
}

Outcome train(Configuration const& c, std::uint64_t seed = 1, std::span<weir::Archive const> from = {}) {
  CleanSession const session({.seed = seed});
  Outcome const outcome =
      c.pipeline ? train_pipelines_on_gpus({c, data(), from}) : train_on_gpus({c, data(), from});
  CHECK(session.default_stream_operations() == 0);
  // 6 full steps an epoch, of which the first of all is not captured.
  if (c.pipeline) CHECK(launches(session) == (c.capture ? c.epochs * 6 - 1 : 0));
  return outcome;
}

void check_run(Configuration const& c, Outcome const& expected, std::uint64_t seed) {
  std::string const name = c.pipeline->schedule->traits.name;
  CAPTURE(name);
  CAPTURE(c.pipeline->workers);
  CAPTURE(c.capture);
  CAPTURE(seed);
  Outcome const outcome = train(c, seed);
  CHECK(outcome.weights_hash == expected.weights_hash);
  CHECK(outcome.train_loss == doctest::Approx(expected.train_loss).epsilon(1e-12));
  CHECK(outcome.test_accuracy == expected.test_accuracy);
  CHECK(outcome.steps == expected.steps);
  CHECK(outcome.parameters == expected.parameters);
  CHECK(outcome.bytes_sent_per_step == expected.bytes_sent_per_step);
  CHECK(outcome.peak_bytes != 0);
}

/// Eager and captured.
void check_same(Configuration c, Outcome const& expected, std::uint64_t seeds = 1) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for (bool const capture : {false, true}) {
      c.capture = capture;
      check_run(c, expected, seed);
    }
  }
}

}  // namespace

TEST_CASE(
    "weir-train on a GPU: every pipeline with a flush and one direction gives the weights of one worker") {
  // The last step of an epoch has micro-batches without samples, and one of another size.
  Configuration const some = piped("1f1b", 2, 4);
  Outcome const plain = train(without_pipeline(some));
  for (char const* name :
       {"sequential", "gpipe", "1f1b", "interleaved-1f1b", "looped-bfs", "zb-h1", "zb-h2", "zb-v"}) {
    check_same(piped(name, 2, 4), plain);
    for (std::size_t const workers : {1u, 3u}) check_run(piped(name, workers, 4), plain, 1);
  }
  check_same(some, plain, 4);
  check_same(piped("dualpipe-v", 2, 4), plain);
  check_same(piped("1f1b", 4, 4), plain);  // more than layers
  check_same(piped("interleaved-1f1b", 2, 4, 3), plain);
  check_same(piped("1f1b", 3, 1), train(without_pipeline(piped("1f1b", 3, 1))));
}

TEST_CASE("weir-train on a GPU: a pipeline that trains both ways adds two sums, as two workers do") {
  Configuration two = without_pipeline(piped("dualpipe", 2, 4));
  two.workers = 2;
  two.micro_batches = 2;
  Outcome const plain = train(two);
  check_same(piped("dualpipe", 2, 4), plain);
  check_same(piped("chimera", 4, 4), plain);
}

TEST_CASE("weir-train on a GPU: pipelines have every optimizer, masked layers and small buckets") {
  Configuration adamw = piped("1f1b", 2, 3);
  adamw.optimizer = OptimizerKind::adamw;
  adamw.learning_rate = 0.003;
  Configuration masked = piped("zb-v", 2, 3);
  masked.masking = Masking{.kind = MaskKind::bibd, .density = 0.5};
  Configuration small = piped("interleaved-1f1b", 2, 2);
  small.bucket_bytes = 1;
  for (Configuration const& c : {adamw, masked, small}) {
    Outcome const plain = train(without_pipeline(c));
    check_same(c, plain);
    CHECK(train(c).nonzero_parameters == plain.nonzero_parameters);
  }
}

TEST_CASE("weir-train on a GPU: pipelines without a flush train as well, and the same each time") {
  Configuration drained = piped("wpipe", 2, 2);
  drained.pipeline->run = 6;  // micro-batches
  for (Configuration c : {piped("pipedream", 2, 1), piped("pipedream-2bw", 3, 3), piped("wpipe", 2, 2),
                          piped("wpipe", 3, 2), drained}) {
    std::string const name = c.pipeline->schedule->traits.name;
    CAPTURE(name);
    CAPTURE(c.pipeline->workers);
    c.learning_rate = 0.02;
    Outcome const plain = train(without_pipeline(c));
    Outcome const first = train(c);
    CHECK(std::abs(first.train_loss - plain.train_loss) < 0.1 * plain.train_loss);
    CHECK(first.steps == plain.steps);
    for (std::uint64_t seed = 2; seed <= 4; ++seed) {
      Outcome const again = train(c, seed);
      CHECK(again.weights_hash == first.weights_hash);
      CHECK(again.train_loss == first.train_loss);
    }
  }
  // A pipeline of one worker is late by nothing.
  Configuration const one = piped("pipedream", 1, 1);
  Outcome const plain = train(without_pipeline(one));
  CHECK(train(one).weights_hash == plain.weights_hash);
  CHECK(train(piped("pipedream", 2, 1)).weights_hash != plain.weights_hash);
}

TEST_CASE("weir-train on a GPU: ranks with a pipeline each give the weights of as many ranks without") {
  for (std::size_t const ranks : {2u, 3u}) {
    CAPTURE(ranks);
    // The last step of an epoch has fewer samples on the last rank, or none.
    Outcome const plain = train(without_pipeline(over_ranks(piped("1f1b", 2, 4), ranks)));
    for (char const* name : {"sequential", "gpipe", "1f1b", "interleaved-1f1b", "zb-h1", "zb-v"}) {
      for (std::uint64_t seed = 1; seed <= 2; ++seed)
        check_run(over_ranks(piped(name, 2, 4), ranks), plain, seed);
    }
    Configuration two = without_pipeline(over_ranks(piped("dualpipe", 2, 4), ranks));
    two.workers = 2;
    two.micro_batches = 2;
    check_run(over_ranks(piped("dualpipe", 2, 4), ranks), train(two), 1);
  }
  Configuration adamw = over_ranks(piped("1f1b", 3, 4), 2);
  adamw.optimizer = OptimizerKind::adamw;
  adamw.learning_rate = 0.003;
  check_run(adamw, train(without_pipeline(adamw)), 1);
}

TEST_CASE("weir-train on a GPU: ranks with a pipeline without a flush each have the loss of the host") {
  for (std::size_t const ranks : {2u, 3u}) {
    for (Configuration c : {piped("pipedream-2bw", 2, 2), piped("wpipe", 2, 2)}) {
      c = over_ranks(c, ranks);
      c.learning_rate = 0.02;
      Configuration on_host = c;
      on_host.device = DeviceKind::host;
      on_host.threads = 4;
      Outcome const host = train_pipelines_on_threads<WholeGradients>({on_host, data()});
      Outcome const first = train(c);
      CHECK(first.steps == host.steps);
      CHECK(std::abs(first.train_loss - host.train_loss) < 1e-4 * host.train_loss);
      CHECK(train(c, 2).weights_hash == first.weights_hash);
    }
  }
}

TEST_CASE("weir-train on a GPU: a pipeline goes on from a checkpoint with the bits of one run") {
  std::string const file = std::filesystem::temp_directory_path() / "weir-train-pipeline-on-gpu.weir";
  Configuration captured = piped("1f1b", 2, 4);
  captured.capture = true;
  for (Configuration c : {piped("wpipe", 2, 2), captured}) {
    Outcome const whole = train(c);
    c.epochs = 1;
    c.save = file;
    train(c);
    std::vector<weir::Archive> const saved{weir::Archive::read(file)};
    std::filesystem::remove(file);
    c.save.clear();
    c.load = file;
    // Of another run, whose first step is not captured either.
    c.capture = false;
    c.epochs = 2;
    CHECK(train(c, 2, saved).weights_hash == whole.weights_hash);
  }
}

TEST_CASE("weir-train on a GPU: weights that leave all bounds end a pipeline with an error") {
  for (bool const capture : {false, true}) {
    Configuration c = piped("1f1b", 2, 4);
    c.learning_rate = 1e30;
    c.capture = capture;
    CleanSession const session;
    CHECK_THROWS_AS(train_pipelines_on_gpus({c, data()}), RunError);
    if (!capture) CHECK_THROWS_AS(train_pipelines_on_gpus({over_ranks(c, 2), data()}), RunError);
  }
}

TEST_CASE("weir-train: of ranks that fail, the one is told that the others have failed by") {
  auto const told = [](std::exception_ptr const& first, std::exception_ptr const& second) {
    try {
      train_on_threads(
          2, [&](std::size_t rank) -> Outcome { std::rethrow_exception(rank == 0 ? first : second); });
    } catch (std::exception const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  auto const aborted = std::make_exception_ptr(weir::PeerAborted("another rank"));
  auto const in_pipeline = [](std::exception_ptr const& cause) {
    return std::make_exception_ptr(weir::PipelineError(1, {weir::OperationKind::update}, cause));
  };
  auto const cause = std::make_exception_ptr(RunError("the cause"));
  CHECK(told(in_pipeline(aborted), cause) == "the cause");
  CHECK(told(in_pipeline(aborted), in_pipeline(cause)).ends_with("the cause"));
  CHECK(told(in_pipeline(cause), aborted).ends_with("the cause"));
  CHECK(told(aborted, in_pipeline(aborted)).ends_with("another rank"));
}
#endif
