// How weir-train trains on a GPU, on the stand-in: the program's own trainer, with doubles of its kernels and
// of cuBLAS, beside the same run on the host.
#if __has_include(<cublas_v2.h>)  // a CUDA without it has no weir-train for GPUs
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#define WEIR_TRAIN_WITH_CUDA 1
#include "../../examples/apps/weir_train/gpus.cpp"
#include "../../examples/apps/weir_train/host_device.hpp"
#include "../../examples/apps/weir_train/make_network.cpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/masked_verbs.hpp"
#include "support/cuda/verbs.hpp"
#include "weir_train_doubles.hpp"
#include "weir_train_runs.hpp"

namespace {

using namespace weir_train;

Outcome train_on_host(Configuration const& c) {
  return train_on_threads(c.ranks, [&, group = weir::ThreadCommunicator::group(c.ranks)](std::size_t rank) {
    CountingMemory memory;
    return train_rank<HostDevice, WholeGradients>({c, data()}, group[rank], memory);
  });
}

Outcome train_on_gpu(Configuration c, bool capture, std::uint64_t seed) {
  CleanSession const session({.seed = seed});
  c.capture = capture;
  check_gpus(c);
  Outcome const outcome = train_on_gpus({c, data()});
  auto const calls = session.calls();
  // 6 full steps an epoch, of which the first of all is not captured.
  CHECK((calls.count("cudaGraphLaunch") == 0 ? 0 : calls.at("cudaGraphLaunch")) == (capture ? 4 * 6 - 1 : 0));
  CHECK(session.default_stream_operations() == 0);
  return outcome;
}

void check(Configuration const& c) {
  CAPTURE(c.workers);
  CAPTURE(c.micro_batches);
  Outcome const host = train_on_host(c);
  Outcome const first = train_on_gpu(c, false, 1);
  CHECK(first.steps == host.steps);
  CHECK(first.parameters == host.parameters);
  CHECK(std::abs(first.train_loss - host.train_loss) < 1e-4 * host.train_loss);
  CHECK(std::abs(first.test_accuracy - host.test_accuracy) < 0.026);  // one image
  for (std::uint64_t seed = 2; seed <= 4; ++seed) {
    for (bool const capture : {false, true}) {
      if (capture && c.comm == CommKind::threads) continue;  // refused by the options
      CAPTURE(capture);
      CAPTURE(seed);
      Outcome const again = train_on_gpu(c, capture, seed);
      CHECK(again.weights_hash == first.weights_hash);
      CHECK(again.train_loss == first.train_loss);
    }
  }
}

}  // namespace

TEST_CASE("weir-train on a GPU gives the loss of the host, the same bits each time, eager and captured") {
  for (std::size_t const workers : {1u, 2u, 4u}) {
    for (std::size_t const micro_batches : {1u, 3u}) check(configuration(workers, micro_batches));
  }
}

TEST_CASE("weir-train on a GPU: the weights may be copied to the workers, and the optimizer may be AdamW") {
  for (auto const policy : {weir::WeightPolicy::sequential, weir::WeightPolicy::overlap}) {
    Configuration c = configuration(2, 2);
    c.weight_sync = policy;
    check(c);
  }
  Configuration c = configuration(3, 2);
  c.optimizer = OptimizerKind::adamw;
  c.learning_rate = 0.003;
  check(c);
}

TEST_CASE("weir-train on a GPU: layers may be masked") {
  for (MaskKind const kind : {MaskKind::bibd, MaskKind::random}) {
    Configuration c = configuration(2, 3);
    c.masking = Masking{.kind = kind, .density = 0.5};
    check(c);
    Configuration dense = c;
    dense.masking.reset();
    CHECK(train_on_gpu(c, false, 1).nonzero_parameters < train_on_gpu(dense, false, 1).nonzero_parameters);
  }
}

TEST_CASE("weir-train on a GPU: ranks on threads share one through host memory") {
  Configuration c = configuration(2, 1);
  c.batch = 6;
  c.ranks = 2;
  c.comm = CommKind::threads;
  check(c);
}

TEST_CASE("weir-train on a GPU: a learning rate at which the weights leave all bounds is an error") {
  Configuration c = configuration(2, 1);
  c.learning_rate = 1e30;
  CleanSession const session;
  CHECK_THROWS_AS(train_on_gpus({c, data()}), RunError);
  c.batch = 6;
  c.ranks = 2;
  c.comm = CommKind::threads;
  CHECK_THROWS_AS(train_on_gpus({c, data()}), RunError);
}

TEST_CASE("weir-train: no driver, no GPU and too few of them are said in words") {
  Configuration c = configuration(1, 1);
  auto const message = [&c] {
    try {
      check_gpus(c);
    } catch (RunError const& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  for (auto const driver : {stand_in::Driver::missing, stand_in::Driver::without_device}) {
    CleanSession const session({.driver = driver});
    CHECK(message().starts_with("--device cuda: no GPU"));
    CHECK(message().ends_with("--device host, would be right"));
  }
  CleanSession const session({.devices = 3});
  c.comm = CommKind::nccl;
  for (std::size_t const ranks : {1u, 3u}) {
    c.ranks = ranks;
    CHECK(message() == "none");
  }
  c.ranks = 4;
  CHECK(message().starts_with("--ranks 4: with --comm nccl each needs a GPU, and there are 3"));
  c.is_process_each = true;  // the other ranks may be on other machines
  CHECK(message() == "none");
}
#endif
