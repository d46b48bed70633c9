#include "weir/mask/exit_rule.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace {

weir::SoftmaxSummary summary(std::vector<float> const& logits) {
  return weir::summarise_softmax(std::span<float const>(logits));
}

TEST_CASE("confidence and entropy are those of the softmax") {
  std::vector<float> const logits = {0.5f, -1.25f, 2.0f, 2.0f, -300.0f};
  double sum = 0, entropy = 0;
  for (float logit : logits) sum += std::exp(double{logit});
  for (float logit : logits) {
    double const p = std::exp(double{logit}) / sum;
    if (p > 0) entropy -= p * std::log(p);
  }
  auto const softmax = summary(logits);
  CHECK(softmax.largest == doctest::Approx(std::exp(2.0) / sum).epsilon(1e-14));
  CHECK(softmax.entropy == doctest::Approx(entropy / std::log(5.0)).epsilon(1e-13));
  CHECK(softmax.label == 2);
}

TEST_CASE("large logits do not overflow") {
  auto const softmax = summary({1000.0f, 999.0f, -1000.0f});
  CHECK(softmax.largest == doctest::Approx(1 / (1 + std::exp(-1.0))).epsilon(1e-14));
  CHECK(summary({3e38f, -3e38f}).largest == 1.0);
  CHECK(summary({2.0f, 2.0f}).entropy == doctest::Approx(1.0));
}

TEST_CASE("the extremes of tau are certain, and NaN never leaves") {
  using Kind = weir::ExitRule::Kind;
  double const nan = std::numeric_limits<double>::quiet_NaN();
  auto const sure = summary({1000.0f, 0.0f});
  auto const unsure = summary({0.0f, 0.0f});
  for (auto const& softmax : {sure, unsure}) {
    for (double tau : {0.0, -1.0}) {
      CHECK(weir::ExitRule{Kind::confidence, tau}.leaves(softmax));
      CHECK_FALSE(weir::ExitRule{Kind::entropy, tau}.leaves(softmax));
    }
    for (double tau : {1.0, 2.0}) {
      CHECK_FALSE(weir::ExitRule{Kind::confidence, tau}.leaves(softmax));
      CHECK(weir::ExitRule{Kind::entropy, tau}.leaves(softmax));
    }
    CHECK_FALSE(weir::ExitRule{Kind::confidence, nan}.leaves(softmax));
    CHECK_FALSE(weir::ExitRule{Kind::entropy, nan}.leaves(softmax));
  }
  CHECK(weir::ExitRule{Kind::confidence, 0.9}.leaves(sure));
  CHECK_FALSE(weir::ExitRule{Kind::confidence, 0.5}.leaves(unsure));
  CHECK(weir::ExitRule{Kind::entropy, 0.1}.leaves(sure));
  CHECK_FALSE(weir::ExitRule{Kind::entropy, 0.9}.leaves(unsure));
  auto const broken = summary({0.0f, std::numeric_limits<float>::quiet_NaN()});
  CHECK_FALSE(weir::ExitRule{Kind::confidence, 0.1}.leaves(broken));
  CHECK_FALSE(weir::ExitRule{Kind::entropy, 0.9}.leaves(broken));
  CHECK_FALSE(weir::ExitRule{Kind::confidence, 0.0}.leaves(broken));
  CHECK_FALSE(weir::ExitRule{Kind::entropy, 1.0}.leaves(broken));
}

}  // namespace
