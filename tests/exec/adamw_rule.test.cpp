#include "weir/exec/adamw_rule.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "host/verb_oracle.hpp"
#include "weir/exec/number_math.hpp"

namespace {

template <class Real>
void check() {
  weir::OptimizerState const state{.learning_rate = 0.1, .step = 2, .beta1_power = 0.81, .beta2_power = 0.25};
  weir::GradientControl const control{.factor = 0.25};
  weir::AdamWRule<Real> const rule({.beta1 = 0.9, .beta2 = 0.5, .epsilon = 1e-4, .weight_decay = 0.01}, state,
                                   {2.0, &control});
  oracle::AdamW<Real> const reference{Real(0.5),
                                      Real(0.1),
                                      Real(0.9),
                                      Real(0.5),
                                      Real(1 - 0.9),
                                      Real(1 - 0.5),
                                      Real(1 / (1 - 0.81)),
                                      Real(1 / (1 - 0.25)),
                                      Real(1e-4),
                                      Real(0.01)};
  oracle::Numbers numbers(13);
  for (int i = 0; i < 1000; ++i) {
    Real const weight = static_cast<Real>(numbers.number());
    Real gradient = static_cast<Real>(numbers.number()), first = static_cast<Real>(numbers.number()),
         second = std::abs(static_cast<Real>(numbers.number()));
    Real expected, expected_first = first, expected_second = second, updated;
    reference(weight, expected, gradient, expected_first, expected_second);
    rule.template update<weir::NumberMath>(weight, gradient, first, second, updated);
    CHECK(updated == expected);
    CHECK(first == expected_first);
    CHECK(second == expected_second);
  }
}

}  // namespace

TEST_CASE("the rule on single numbers has the bits of plain expressions, with the factor of the control") {
  check<float>();
  check<double>();
}
