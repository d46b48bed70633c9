// How weir-train sends a part of its gradients on a GPU, on the stand-in: beside the same run on the host.
#if __has_include(<cublas_v2.h>)  // a CUDA without it has no weir-train for GPUs
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#define WEIR_TRAIN_WITH_CUDA 1
#include "../../examples/apps/weir_train/gpu_pipelines_sparsified.cpp"
#include "../../examples/apps/weir_train/gpus_sparsified.cpp"
#include "../../examples/apps/weir_train/host_device.hpp"
#include "../../examples/apps/weir_train/sparsified_gradients.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/masked_verbs.hpp"
#include "weir_sparsify/device_estimator.hpp"
#include "weir_train_runs.hpp"
#include "weir_train_sparse_doubles.hpp"

namespace {

using namespace weir_train;

Configuration sparse_configuration(std::size_t ranks, Estimator estimator, bool has_feedback) {
  Configuration c = configuration(2, 1);
  c.ranks = ranks;
  c.comm = ranks > 1 ? CommKind::threads : CommKind::self;
  c.batch = 12 / ranks;
  c.sparsification = {.density = 0.1, .estimator = estimator, .stages = {}, .has_feedback = has_feedback};
  if (has_stages(estimator)) c.sparsification->stages.count = weir::StageCount::adaptive;
  return c;
}

Outcome train_on_host(Configuration const& c) {
  return train_on_threads(c.ranks, [&, group = weir::ThreadCommunicator::group(c.ranks)](std::size_t rank) {
    CountingMemory memory;
    return train_rank<HostDevice, SparsifiedGradients>({c, data()}, group[rank], memory);
  });
}

Outcome train_on_gpu(Configuration c, bool capture, std::uint64_t seed) {
  CleanSession const session({.seed = seed});
  c.capture = capture;
  Outcome const outcome = train_on_gpus({c, data()});
  CHECK(session.default_stream_operations() == 0);
  return outcome;
}

void check(Configuration const& c) {
  Outcome const host = train_on_host(c);
  Outcome const first = train_on_gpu(c, false, 1);
  CHECK(first.steps == host.steps);
  // Products of matrices are rounded otherwise, and with them what is just above a threshold.
  CHECK(std::abs(first.train_loss - host.train_loss) < 0.02 * host.train_loss);
  for (std::uint64_t seed = 2; seed <= 3; ++seed) {
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

TEST_CASE("weir-train on a GPU: sparsified gradients give the loss of the host, eager and captured") {
  check(sparse_configuration(1, Estimator::histogram, true));
  check(sparse_configuration(1, Estimator::histogram, false));
  check(sparse_configuration(1, Estimator::generalized_pareto, true));
}

TEST_CASE("weir-train on a GPU: ranks send what their sparsifiers have room for") {
  Configuration const c = sparse_configuration(2, Estimator::histogram, true);
  check(c);
  std::size_t bytes = 0;
  weir::BucketPlan const plan = make_plan(c, make_network(c, data().train));
  REQUIRE(plan.size() > 1);
  for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
    auto const wanted = static_cast<double>(weir::slots_of(0.1, plan[bucket].size));
    auto const room = static_cast<std::size_t>(std::ceil(1.01 * wanted));
    bytes += 16 + 2 * ((4 * room + 7) / 8 * 8);  // indices and values begin at a multiple of 8 bytes
  }
  std::size_t const sent = train_on_gpu(c, false, 1).bytes_sent_per_step;
  CHECK(sent == bytes);
  CHECK(train_on_host(c).bytes_sent_per_step <= sent);
}

TEST_CASE("weir-train on a GPU: pipelines send the largest elements too, over ranks, eager and captured") {
  for (std::size_t const ranks : {1u, 2u, 3u}) {
    for (char const* name : {"1f1b", "wpipe"}) {
      CAPTURE(ranks);
      CAPTURE(name);
      Configuration c = sparse_configuration(ranks, Estimator::histogram, true);
      c.workers = 1;
      c.micro_batches = 2;
      c.learning_rate = 0.02;
      c.device = DeviceKind::cuda;
      c.pipeline = PipelineSetup{.schedule = weir::find_schedule(name), .workers = 2};
      auto const train = [&c](bool capture, std::uint64_t seed) {
        CleanSession const session({.seed = seed});
        Configuration mine = c;
        mine.capture = capture;
        return train_pipelines_on_gpus({mine, data()});
      };
      Outcome const first = train(false, 1);
      CHECK(train(false, 2).weights_hash == first.weights_hash);
      if (ranks == 1 && std::string(name) == "1f1b") CHECK(train(true, 3).weights_hash == first.weights_hash);
      CHECK((first.bytes_sent_per_step != 0) == (ranks > 1));
      CHECK(first.bytes_sent_per_step < 4 * first.parameters);
      c.sparsification.reset();
      Outcome const whole = train(false, 1);
      CHECK(first.weights_hash != whole.weights_hash);
      CHECK(std::abs(first.train_loss - whole.train_loss) < 0.2 * whole.train_loss);
    }
  }
}

TEST_CASE("weir-train and weir-sparsify on a GPU: the policy of each estimator, and what has no kernels") {
  auto const name_or_refusal = []<class Real>(Real, Estimator estimator) {
    std::string name;
    try {
      weir_sparsify::DevicePolicies<Real>::with(estimator,
                                                [&]<class Policy>(Policy const&) { name = Policy::name; });
    } catch (UsageError const& error) {
      name = error.what();
    }
    return name;
  };
  std::vector<std::string> const names = {
      weir::Histogram::name,        weir::Exponential::name,       weir::Gamma::name,
      weir::GammaApproximate::name, weir::GeneralizedPareto::name, weir::GammaPareto::name,
      weir::Normal::name,           weir::ExactTopK::name,         weir::SampledTopK::name,
      weir::RedSync::name,          weir::RedSyncTrim::name,       weir::GaussianK::name,
      weir::RandomK::name};
  REQUIRE(names.size() == weir_sparsify::estimator_names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    CHECK(name_or_refusal(0.0f, static_cast<Estimator>(i)) == names[i]);
  CHECK(name_or_refusal(0.0, Estimator::topk) == weir::ExactTopK::name);
  CHECK(name_or_refusal(0.0, Estimator::gamma) ==
        "--estimator gamma: not available with --device cuda for float64; histogram, topk, exponential or "
        "generalized-pareto, or --device host, would be right");
}
#endif
