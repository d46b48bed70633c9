#include "weir/exec/accumulate_rule.hpp"

#include <doctest/doctest.h>

using Rule = weir::detail::AccumulateRule<float>;

TEST_CASE("the default is one addition") {
  Rule const rule({}, 1.0);
  float const third = 1.0f / 3.0f;
  CHECK(rule.gradient(third) == third);
  CHECK(rule.with_residual(rule.gradient(third), 0.1f) == third + 0.1f);
}

TEST_CASE("factors are multiplied once, each product is rounded") {
  Rule const rule({.beta = 0.3, .gamma = 0.7}, 3.0);
  CHECK(rule.factor == static_cast<float>(0.7 * 3.0));
  float const scaled = rule.gradient(1.1f);
  float const volatile kept = 0.3f * 0.9f;
  CHECK(rule.with_residual(scaled, 0.9f) == kept + scaled);
}

TEST_CASE("a memory of differences is subtracted") {
  Rule const rule({.feedback = weir::FeedbackKind::differences, .beta = 0.5}, 1.0);
  CHECK(rule.with_residual(3.0f, 1.0f) == 2.0f);
}

TEST_CASE("momentum correction, plain and Nesterov's") {
  weir::SparsifyConstants constants{.momentum = 0.5};
  float u = 2.0f;
  CHECK(Rule(constants, 1.0).with_momentum(4.0f, 10.0f, u) == 15.0f);
  CHECK(u == 5.0f);
  constants.nesterov = true;
  u = 2.0f;
  CHECK(Rule(constants, 1.0).with_momentum(4.0f, 10.0f, u) == 17.0f);
  CHECK(u == 3.0f);
}
