#include "weir/compress/error_feedback.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "compress/sparse_training.hpp"
#include "support/bits.hpp"
#include "weir/compress/adaptive_stages.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold_sparsifier.hpp"

namespace {

using Vector = std::vector<float>;
using weir::NonFinitePolicy;

constexpr float infinity = std::numeric_limits<float>::infinity();

auto top(double density) {
  return weir::ThresholdSparsifier{{.density = density}, weir::ExactTopK{}};
}

template <NonFinitePolicy policy>
auto top_on(double density) {
  return weir::ThresholdSparsifier{
      {.density = density}, weir::ExactTopK{}, weir::FixedStages<1>{}, weir::OnNonFinite<policy>{}};
}

/// Every step: what was sent and what is left are what there was, bit for bit in each slot.
template <class Element, class Stage>
void check_conservation(Stage const& sparsifier, double quantum = 0.0) {
  constexpr std::size_t size = 1500;
  SparseTraining<weir::ErrorFeedback<Stage>, Element> training(weir::ErrorFeedback{sparsifier}, size);
  using Real = typename decltype(training)::Real;
  std::vector<Real> residual(size);
  std::size_t sent_slots = 0;
  for (std::size_t step = 0; step < 12; ++step) {
    auto gradient = rough_gradient<Element>(size, step);
    if (quantum != 0.0) {
      for (Element& g : gradient)
        g = Element(static_cast<float>(std::round(static_cast<double>(static_cast<float>(g)) / quantum)) *
                    static_cast<float>(quantum));
    }
    std::vector<Real> const sent = training.step(gradient);
    std::vector<Real> const left = training.residual();
    std::vector<Real> expected_sent(size), expected_left(size);
    for (std::size_t i = 0; i < size; ++i) {
      bool const is_sent = sent[i] != 0;
      (is_sent ? expected_sent : expected_left)[i] = static_cast<Real>(gradient[i]) + residual[i];
      sent_slots += is_sent ? 1 : 0;
    }
    CHECK(same_bits(sent, expected_sent));
    CHECK(same_bits(left, expected_left));
    residual = left;
  }
  CHECK(sent_slots > 0);
}

}

TEST_CASE("what is not sent is sent later: the worked example") {
  SparseTraining training(weir::ErrorFeedback{top(0.25)}, 4);
  Vector const gradient = {4.0f, -3.0f, 1.0f, 0.5f};
  CHECK(training.step(gradient) == Vector{4, 0, 0, 0});
  CHECK(training.step(gradient) == Vector{0, -6, 0, 0});
  CHECK(training.step(gradient) == Vector{8, 0, 0, 0});
  CHECK(training.step(gradient) == Vector{0, -6, 0, 0});
  CHECK(training.residual() == Vector{4, 0, 4, 2});
}

TEST_CASE("nothing is lost, bit for bit, of gradients of all types") {
  weir::ThresholdSparsifier const histogram{{.density = 0.05}};
  check_conservation<float>(histogram);
  check_conservation<float>(histogram, 0.01);  // many are equal
  check_conservation<weir::half>(histogram);
  check_conservation<weir::bfloat16>(histogram);
  weir::ThresholdSparsifier const fitted{
      {.density = 0.05}, weir::GeneralizedPareto{}, weir::AdaptiveStages<>{}};
  check_conservation<float>(fitted);
}

TEST_CASE("over 1,000 steps of integers the sum of what was sent is that of the gradients") {
  constexpr std::size_t size = 300;
  SparseTraining training(weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.02}}}, size);
  Vector sum(size);
  for (std::size_t step = 0; step < 1000; ++step) {
    Vector gradient = rough_gradient(size, step);
    for (float& g : gradient) g = std::round(30.0f * g);
    Vector const sent = training.step(gradient);
    for (std::size_t i = 0; i < size; ++i) sum[i] += gradient[i] - sent[i];
  }
  CHECK(training.residual() == sum);
}

TEST_CASE("values that are sent in 16 bits leave their rounding error behind") {
  constexpr std::size_t size = 200;
  for (auto precision : {weir::ElementType::float16, weir::ElementType::bfloat16}) {
    SparseTraining training(
        weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.1, .precision = precision}}}, size);
    Vector residual(size);
    std::size_t rounded = 0;
    for (std::size_t step = 0; step < 10; ++step) {
      Vector gradient = rough_gradient(size, step);
      gradient[7] = 1e6f;  // beyond the largest number of float16
      Vector const sent = training.step(gradient);
      Vector const left = training.residual();
      for (std::size_t i = 0; i < size; ++i) {
        float const all = gradient[i] + residual[i];
        CHECK(sent[i] + left[i] == all);
        if (sent[i] == 0.0f) continue;
        rounded += left[i] != 0.0f ? 1 : 0;
        float const exact = precision == weir::ElementType::float16
                                ? static_cast<float>(weir::half(sent[i]))
                                : static_cast<float>(weir::bfloat16(sent[i]));
        CHECK(exact == sent[i]);
      }
      CHECK(sent[7] >= 65504.0f);
      residual = left;
    }
    CHECK(rounded > 0);
  }
}

TEST_CASE("a gradient that is not finite is skipped: nothing is sent, and what is kept stays as it was") {
  SparseTraining training(weir::ErrorFeedback{top(0.25)}, 4);
  (void)training.step({4.0f, -3.0f, 1.0f, 0.5f});
  for (float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
    CHECK(training.step({4.0f, bad, 1.0f, 0.5f}) == Vector(4));
    CHECK(training.residual() == Vector{0, -3, 1, 0.5f});
    CHECK(training.bound().statistics(0).status == weir::SparsifyStatus::skipped);
  }
  CHECK(training.bound().state(0).non_finite_steps == 3);
  CHECK(training.step({4.0f, -3.0f, 1.0f, 0.5f}) == Vector{0, -6, 0, 0});
}

TEST_CASE("what is not finite is sent where it is to be propagated, and never kept") {
  SparseTraining training(weir::ErrorFeedback{top_on<NonFinitePolicy::propagate>(0.5)}, 4);
  Vector const sent = training.step({4.0f, infinity, 1.0f, 0.5f});
  CHECK(sent == Vector{4, infinity, 0, 0});
  CHECK(training.residual() == Vector{0, 0, 1, 0.5f});
  Vector const more = training.step({infinity, infinity, infinity, 7.0f});
  for (float r : training.residual()) CHECK(std::isfinite(r));
}

TEST_CASE("a gradient that is not finite fails the step where it is to be an error, and changes nothing") {
  SparseTraining training(weir::ErrorFeedback{top_on<NonFinitePolicy::error>(0.25)}, 4);
  (void)training.step({4.0f, -3.0f, 1.0f, 0.5f});
  std::string text;
  try {
    (void)training.step({4.0f, infinity, 1.0f, infinity});
  } catch (weir::NonFiniteGradient const& error) {
    text = error.what();
  }
  CHECK(text.find("2 elements are NaN or infinite") != std::string::npos);
  CHECK(text.find("bucket 0, step 1") != std::string::npos);
  CHECK(training.residual() == Vector{0, -3, 1, 0.5f});
  CHECK(training.step({4.0f, -3.0f, 1.0f, 0.5f}) == Vector{0, -6, 0, 0});
}

TEST_CASE("the factors of an error feedback are those of what is kept and of the gradient") {
  SparseTraining training(weir::ErrorFeedback{top(0.25), {.beta = 0.5, .gamma = 2.0}}, 4);
  CHECK(training.step({4.0f, -3.0f, 1.0f, 0.5f}) == Vector{8, 0, 0, 0});
  CHECK(training.residual() == Vector{0, -6, 2, 1});
  CHECK(training.step({1.0f, 1.0f, 1.0f, 0.5f}) == Vector{0, 0, 3, 0});
  CHECK(training.residual() == Vector{2, -1, 0, 1.5f});
}

TEST_CASE("factors that are none are refused") {
  for (double factor : {static_cast<double>(infinity), std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS((weir::ErrorFeedback{top(0.1), {.beta = factor}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::ErrorFeedback{top(0.1), {.gamma = factor}}), weir::ContractViolation);
  }
  CHECK_THROWS_WITH_AS(
      (weir::ErrorFeedback{top(0.1), {.gamma = 0.0}}),
      "ErrorFeedback: beta is 1.000000 and gamma 0.000000, they have to be finite and gamma not 0",
      weir::ContractViolation);
}
