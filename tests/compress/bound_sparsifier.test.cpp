#include "weir/compress/bound_sparsifier.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "compress/sparse_training.hpp"
#include "support/ranks.hpp"
#include "weir/comm/fixed_gather.hpp"
#include "weir/comm/self.hpp"
#include "weir/compress/collective/dense_sum.hpp"
#include "weir/compress/collective/shared_indices.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/fixed_stages.hpp"
#include "weir/compress/on_non_finite.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/state/archive.hpp"

namespace {

using Vector = std::vector<float>;

weir::ThresholdSparsifierOptions at(double density) {
  return {.density = density};
}

auto top(weir::ThresholdSparsifierOptions const& options) {
  return weir::ErrorFeedback{weir::ThresholdSparsifier{options, weir::ExactTopK{}}};
}

using Top = decltype(top({}));

weir::BucketPlan two_buckets() {
  return weir::BucketPlan({{4}, {6}}, {{1}, {0}});
}

/// Trains two parameters of two elements each, in buckets of their own, by stages that follow the local sum.
template <class Stages, class Model>
struct Run {
  static auto recipe(Stages const& stages, std::size_t micro_batches) {
    return weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | stages;
  }

  Run(Stages const& stages, Model const& of_micro, weir::WorkLayout layout = {})
      : model(of_micro),
        pool(executor, {.workers = layout.workers,
                        .buckets = weir::BucketPlan::per_parameter({{2}, {2}}),
                        .local_batch = layout.local_batch}),
        sync(recipe(stages, layout.micro_batches).on(pool, weir::view(weights))) {}

  void step() {
    std::vector<int> const samples(sync.layout().workers * sync.layout().micro_batches *
                                   sync.layout().local_batch);
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
  }

  Model model;
  weir::HostExecutor executor;
  Vector weights = Vector(4);
  weir::StreamWorkerPool<weir::HostExecutor> pool;
  decltype(recipe(std::declval<Stages>(), 1).on(pool, weir::view(weights))) sync;
};

/// Each micro-batch has the gradients (3, 4) and (6, 8).
struct SameEverywhere {
  void operator()(auto& micro) const {
    for (std::size_t p = 0; p < 2; ++p) {
      auto const gradient = micro.gradient(p);
      float const g = micro.loss_scale() * static_cast<float>(p + 1);
      gradient[0] = (micro.accumulate() ? gradient[0] : 0.0f) + 3.0f * g;
      gradient[1] = (micro.accumulate() ? gradient[1] : 0.0f) + 4.0f * g;
    }
  }
};

/// Counts the buckets that pass.
struct Count {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  std::atomic<int>* passed;

  template <class E>
  auto on(weir::BucketContext<E, float> const&) const {
    return [to = passed](weir::DenseGradient<E, float> const& gradient) {
      ++*to;
      return gradient;
    };
  }
};

}

TEST_CASE("each bucket has its own density, state and residual") {
  SparseTraining training(top({.density = 0.5, .densities = {0.5, 0.25}}), two_buckets());
  Vector const gradient = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  CHECK(training.step(gradient) == Vector{0, 0, 0, 4, 0, 0, 0, 8, 9, 10});
  CHECK(training.residual(0) == Vector{5, 6, 7, 0, 0, 0});
  CHECK(training.residual(1) == Vector{1, 2, 3, 0});
  weir::SparsifyStatistics const statistics = training.bound().statistics(0);
  CHECK(statistics.status == weir::SparsifyStatus::selected);
  CHECK(statistics.size == 6);
  CHECK(statistics.k_target == 3);
  CHECK(statistics.k_selected == 3);
  CHECK(statistics.threshold == 8.0);
  CHECK(training.bound().statistics(1).k_target == 1);
}

TEST_CASE("small buckets are sent whole") {
  SparseTraining training(top({.density = 0.01, .dense_below = 5}), two_buckets());
  Vector const gradient = {1, 0, 3, 4, 5, 6, 7, 8, 9, 10};
  CHECK(training.step(gradient) == Vector{1, 0, 3, 4, 0, 0, 0, 0, 0, 10});
  CHECK(training.step(gradient) == Vector{1, 0, 3, 4, 0, 0, 0, 0, 18, 0});
  float const infinity = std::numeric_limits<float>::infinity();
  CHECK(training.step({1, infinity, 3, 4, 0, 0, 0, 0, 0, 0}) == Vector{0, 0, 0, 0, 0, 0, 0, 16, 0, 0});
}

TEST_CASE("what is not finite in a small bucket is sent, and not kept, under propagate") {
  weir::ErrorFeedback const stage{
      weir::ThresholdSparsifier{{.density = 0.01, .dense_below = 5},
                                weir::ExactTopK{},
                                weir::FixedStages<1>{},
                                weir::OnNonFinite<weir::NonFinitePolicy::propagate>{}}};
  SparseTraining training(stage, two_buckets());
  float const infinity = std::numeric_limits<float>::infinity();
  float const nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(training.step({1, infinity, nan, 4, 0, 0, 0, 0, 9, 0})[1] == infinity);
  Vector const second = training.step({1, 2, nan, 4, 0, 0, 0, 0, 9, 0});
  CHECK(second[0] == 1);
  CHECK(second[1] == 2);
  CHECK(std::isnan(second[2]));
  CHECK(training.step({1, 2, 3, 4, 0, 0, 0, 0, 9, 0}) == Vector{1, 2, 3, 4, 0, 0, 0, 0, 9, 0});
}

TEST_CASE("the density follows its warm-up") {
  SparseTraining training(top({.density = 0.125, .warmup = {.steps_per_epoch = 2, .densities = {1.0, 0.5}}}),
                          8);
  Vector const gradient = {1, 2, 3, 4, 5, 6, 7, 8};
  for (std::size_t expected : {8u, 8u, 4u, 4u, 1u, 1u}) {
    (void)training.step(gradient);
    CHECK(training.bound().statistics(0).k_selected == expected);
  }
}

TEST_CASE("what is kept is in units of the mean, and worth as much after a resize") {
  for (auto time : {weir::ScaleTime::before_sum, weir::ScaleTime::after_sum}) {
    weir::HostExecutor const executor;
    Vector weights(4);
    weir::StreamWorkerPool pool{executor,
                                {.workers = 3, .buckets = weir::BucketPlan::per_parameter({{2}, {2}})}};
    SameEverywhere const model;
    auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{weir::MeanOverSamples{}, time} |
                 top(at(0.5)) | weir::Sgd{{.learning_rate = 1.0}})
                    .on(pool, weir::view(weights));
    auto const step = [&](std::size_t micro_batches) {
      std::vector<int> const samples(micro_batches);
      sync(pool(std::span<int const>(samples), model));
      sync.wait();
    };
    auto const check = [](Vector const& found, std::vector<double> const& expected) {
      for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(static_cast<double>(found[i]) == doctest::Approx(expected[i]));
    };
    step(6);
    check(weights, {0, -4, 0, -8});
    check(sync.stage<Top>().residual(0), {6, 0});
    sync.resize({.workers = 2, .micro_batches = 1, .local_batch = 1});
    step(2);
    check(weights, {-6, -4, -12, -8});
    step(2);
    check(weights, {-6, -12, -12, -24});
    check(sync.stage<Top>().residual(1), {3, 0});
  }
}

TEST_CASE("an unused parameter whose gradient was kept is updated when that is sent") {
  auto const model = [](auto& micro) {
    for (std::size_t p = micro.step() == 0 ? 0 : 1; p < 2; ++p) {
      micro.gradient(p)[0] = 3.0f;
      micro.gradient(p)[1] = 2.0f;
    }
  };
  Run run(top(at(0.5)) | weir::UsedParameters{weir::SelfCommunicator{}} | weir::Sgd{{.learning_rate = 1.0}},
          model);
  run.step();
  CHECK(run.weights == Vector{-3, 0, -3, 0});
  weir::Archive saved;
  run.sync.save(saved);
  run.step();
  CHECK(run.weights == Vector{-3, -2, -3, -4});

  Run restored(
      top(at(0.5)) | weir::UsedParameters{weir::SelfCommunicator{}} | weir::Sgd{{.learning_rate = 1.0}},
      model);
  restored.sync.load(saved);
  restored.step();
  CHECK(restored.weights == run.weights);
}

TEST_CASE("a map of used parameters before the sparsifier is refused") {
  Run run(weir::UsedParameters{weir::SelfCommunicator{}} | top(at(0.5)) | weir::Sgd{{.learning_rate = 1.0}},
          SameEverywhere{});
  std::string text;
  try {
    run.step();
  } catch (weir::ContractViolation const& error) {
    text = error.what();
  }
  CHECK(text.find("UsedParameters belongs behind the all-reduce") != std::string::npos);
}

TEST_CASE("a loss scale before it is taken out of what is kept, and a step that it skips keeps everything") {
  auto const model = [](auto& micro) {
    for (std::size_t p = 0; p < 2; ++p) {
      micro.gradient(p)[0] = micro.loss_scale();
      micro.gradient(p)[1] =
          micro.step() == 1 ? std::numeric_limits<float>::infinity() : 1.5f * micro.loss_scale();
    }
  };
  Run run(
      weir::LossScale{{.initial = 1024.0, .interval = 1}} | top(at(0.5)) | weir::Sgd{{.learning_rate = 1.0}},
      model);
  run.step();
  CHECK(run.weights == Vector{0, -1.5f, 0, -1.5f});
  run.step();  // overflows: the scale is halved
  CHECK(run.weights == Vector{0, -1.5f, 0, -1.5f});
  CHECK(run.sync.template stage<Top>().residual(0) == Vector{1, 0});
  run.step();
  CHECK(run.weights == Vector{-2, -1.5f, -2, -1.5f});
}

TEST_CASE("a rank whose step is skipped sends nothing, and all ranks have the same weights") {
  constexpr std::size_t ranks = 3;
  auto const check = [](auto const& stage, auto const& policy, bool sends_all) {
    std::vector<Vector> weights(ranks, Vector(8));
    on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
      std::size_t const rank = communicator.rank();
      weir::HostExecutor const executor;
      weir::StreamWorkerPool pool(executor, {.buckets = weir::BucketPlan::per_parameter({{8}})});
      weir::Sgd const sgd{{.learning_rate = 1.0}};
      auto sync = (weir::LocalAggregator{} | weir::LossScale{{.initial = 1024.0}} | stage |
                   weir::AllReduce{communicator, policy} | sgd)
                      .on(pool, weir::view(weights[rank]));
      for (int step = 0; step < 2; ++step) {
        std::vector<int> const samples(ranks);
        auto const model = [&](auto& micro) {
          for (std::size_t i = 0; i < 8; ++i) micro.gradient(0)[i] = 0.75f * micro.loss_scale();
          if (rank == 1 && step == 0) micro.gradient(0)[5] = std::numeric_limits<float>::infinity();
        };
        sync(pool(std::span<int const>(samples), model));
        sync.wait();
      }
    });
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      for (float const weight : weights[rank]) {
        CHECK(std::isfinite(weight));
        // Two ranks of three in the first step, all in the second.
        if (sends_all) CHECK(weight == -(0.5f + 0.75f));
      }
      CHECK(weights[rank] == weights[0]);
    }
  };
  weir::ThresholdSparsifier const all{at(1.0), weir::ExactTopK{}};
  weir::ThresholdSparsifier const random{at(0.5), weir::RandomK{}};
  check(all, weir::FixedGather{}, true);
  check(all, weir::DenseSum{}, true);
  check(random, weir::SharedIndices{}, false);
  check(weir::ErrorFeedback{random}, weir::SharedIndices{}, false);
  check(random, weir::DenseSum{}, true);
  check(weir::ErrorFeedback{random}, weir::DenseSum{}, true);
}

TEST_CASE("a step that fails leaves what was kept, and what was learnt, as it was before") {
  std::atomic<int> passed = 0;
  bool fails = false;
  auto const model = [&](auto& micro) {
    int const before = passed;
    micro.gradient(1)[0] = 3.0f;
    micro.gradient(1)[1] = 2.0f;
    micro.ready_parameter(1);
    if (fails) {
      while (passed == before) std::this_thread::yield();
      throw std::runtime_error("as it should");
    }
    micro.gradient(0)[0] = 3.0f;
    micro.gradient(0)[1] = 2.0f;
  };
  // Clipping holds the first bucket, so that nothing has been applied when the second one fails.
  Run run(top(at(0.5)) | Count{&passed} | weir::Clip{{.max_norm = 100.0}} | weir::Sgd{{.learning_rate = 1.0}},
          model);
  auto& bound = run.sync.template stage<Top>();
  run.step();
  fails = true;
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_AS(run.step(), weir::WorkerError);
    for (std::size_t bucket = 0; bucket < 2; ++bucket) {
      CHECK(bound.residual(bucket) == Vector{0, 2});
      CHECK(bound.state(bucket).step == 1);
    }
  }
  CHECK(passed == 5);
  fails = false;
  run.step();
  CHECK(run.weights == Vector{-3, -4, -3, -4});
  CHECK(run.sync.steps() == 2);
}
