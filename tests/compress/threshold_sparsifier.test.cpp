#include "weir/compress/threshold_sparsifier.hpp"

#include <doctest/doctest.h>

#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "compress/sparse_training.hpp"
#include "support/training.hpp"
#include "weir/compress/adaptive_stages.hpp"
#include "weir/compress/ef21.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/fixed_ratio_stages.hpp"
#include "weir/compress/momentum_correction.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/optim/sgd.hpp"

namespace {

using Vector = std::vector<float>;

weir::ThresholdSparsifier const fitted{
    {.density = 0.01}, weir::GeneralizedPareto{}, weir::AdaptiveStages<>{}};

static_assert(std::same_as<
              decltype(weir::ThresholdSparsifier{{.density = 0.01}}),
              weir::ThresholdSparsifier<weir::Histogram, weir::FixedStages<1>, weir::NonFinitePolicy::skip>>);
static_assert(std::same_as<std::remove_const_t<decltype(fitted)>,
                           weir::ThresholdSparsifier<weir::GeneralizedPareto,
                                                     weir::AdaptiveStages<weir::StageRule::memory>>>);
static_assert(weir::StageOn<weir::ThresholdSparsifier<>, weir::HostExecutor>);

}

TEST_CASE("alone it drops what it does not select") {
  SparseTraining training(weir::ThresholdSparsifier{{.density = 0.5}, weir::ExactTopK{}}, 4);
  CHECK(training.step({4.0f, -3.0f, 1.0f, 0.5f}) == Vector{4, -3, 0, 0});
  CHECK(training.step({1.0f, 2.0f, -3.0f, 0.5f}) == Vector{0, 2, -3, 0});
  CHECK(training.residual().empty());
  CHECK(training.step({1.0f, 2.0f, std::numeric_limits<float>::infinity(), 0.5f}) == Vector(4));
}

TEST_CASE("a recipe without a communicator sparsifies, and updates what was selected") {
  weir::HostExecutor const executor;
  Vector weights(4, 1.0f);
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({16})}};
  auto const model = [](auto& micro) {
    auto const gradient = micro.gradient(0);
    for (std::size_t i = 0; i < 4; ++i)
      gradient[i] = (micro.accumulate() ? gradient[i] : 0.0f) + static_cast<float>(i);
  };
  auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} |
               weir::ThresholdSparsifier{{.density = 0.5}} | weir::Sgd{{.learning_rate = 0.5}})
                  .on(pool, weir::view(weights));
  int const samples[4] = {};
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(weights == Vector{1, 1, 0, -0.5f});
}

TEST_CASE("it says what it is made of") {
  CHECK(weir::ThresholdSparsifier{{.density = 0.25}}.text() == "histogram, density 0.25");
  CHECK(fitted.text() == "generalized-pareto, adaptive stages by rule 4, density 0.01");
  CHECK(weir::ThresholdSparsifier{{.density = 0.5}, weir::RandomK{.is_unbiased = true}}.text() ==
        "random-k, unbiased, density 0.5");
  weir::FixedRatioStages const stages{.ratio = 1e-7, .first_ratio = 0.3};
  CHECK(weir::ThresholdSparsifier{{.capacity = 3.0}, weir::GeneralizedPareto{}, stages}.text() ==
        "generalized-pareto, stages of ratio 1e-07, first ratio 0.3, density 0.01, capacity 3");
  auto const with = [](auto on_non_finite) {
    return weir::ThresholdSparsifier{{}, weir::Histogram{}, weir::FixedStages<1>{}, on_non_finite}.text();
  };
  CHECK(with(weir::OnNonFinite<weir::NonFinitePolicy::skip>{}) == "histogram, density 0.01");
  CHECK(with(weir::OnNonFinite<weir::NonFinitePolicy::propagate>{}) ==
        "histogram, density 0.01, propagates what is not finite");
  CHECK(with(weir::OnNonFinite<weir::NonFinitePolicy::error>{}) ==
        "histogram, density 0.01, fails at what is not finite");
}

TEST_CASE("it says beforehand what it takes") {
  auto const plan = weir::BucketPlan({{1000}, {50}}, {{0}, {1}});
  weir::ThresholdSparsifier const sparsifier{{.density = 0.01}};
  CHECK(sparsifier.sparse_capacity(plan) == std::vector<std::size_t>{20, 2});
  weir::SparsifierMemory const memory{.kind = weir::SparsifierMemoryKind::residual};
  CHECK(sparsifier.remembering(memory).workspace_bytes<float>(plan, {}) -
            sparsifier.workspace_bytes<float>(plan, {}) ==
        2 * 1052 * sizeof(float));
}

TEST_CASE("a density that is none is refused, whatever else is said") {
  CHECK_THROWS_WITH_AS((weir::ThresholdSparsifier{{.density = 1.5}, weir::RandomK{}}),
                       "ThresholdSparsifier: density is 1.500000, it has to be above 0 and at most 1",
                       weir::ContractViolation);
}

TEST_CASE("values that are multiplied have no memory: it would not be what was not sent") {
  weir::ThresholdSparsifier const unbiased{{.density = 0.25}, weir::RandomK{.is_unbiased = true}};
  weir::ThresholdSparsifier const plain{{.density = 0.25}, weir::RandomK{}};
  char const* const refusal =
      "ThresholdSparsifier: random-k multiplies the values that it sends, so with what is kept they would "
      "not add up to what there was: give ErrorFeedback and the like a RandomK whose is_unbiased is false, "
      "or leave them away";
  CHECK_THROWS_WITH_AS(weir::ErrorFeedback{unbiased}, refusal, weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::MomentumCorrection{unbiased}, refusal, weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::EF21{unbiased}, refusal, weir::ContractViolation);
  CHECK_NOTHROW(unbiased.remembering({}));
  CHECK_NOTHROW(weir::ErrorFeedback{plain});
  CHECK_NOTHROW(weir::MomentumCorrection{plain});
  CHECK_NOTHROW(weir::EF21{plain});
}
