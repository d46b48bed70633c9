#include "weir/exec/sgd_rule.hpp"

#include <doctest/doctest.h>

#include "host/verb_oracle.hpp"
#include "weir/exec/number_math.hpp"

namespace {

template <class Real>
void check(weir::SgdConstants const& constants, bool has_velocity) {
  weir::OptimizerState const state{.learning_rate = 0.1};
  weir::GradientControl const control{.factor = 0.25};
  weir::SgdRule<Real> const rule(constants, state, {2.0, &control});
  oracle::Sgd<Real> const reference{Real(0.5),
                                    Real(0.1),
                                    static_cast<Real>(constants.momentum),
                                    static_cast<Real>(constants.weight_decay),
                                    constants.nesterov,
                                    has_velocity};
  oracle::Numbers numbers(12);
  for (int i = 0; i < 1000; ++i) {
    Real const weight = static_cast<Real>(numbers.number());
    Real gradient = static_cast<Real>(numbers.number()), velocity = static_cast<Real>(numbers.number());
    Real expected, expected_velocity = velocity, updated;
    reference(weight, expected, gradient, expected_velocity);
    rule.template prepare<weir::NumberMath>(weight, gradient);
    if (has_velocity) rule.template accelerate<weir::NumberMath>(velocity, gradient);
    rule.template descend<weir::NumberMath>(weight, gradient, updated);
    CHECK(updated == expected);
    CHECK(velocity == expected_velocity);
  }
}

}  // namespace

TEST_CASE("the rule on single numbers has the bits of plain expressions, with the factor of the control") {
  check<float>({}, false);
  check<float>({.weight_decay = 0.01}, false);
  check<float>({.momentum = 0.9}, true);
  check<double>({.momentum = 0.9, .weight_decay = 0.01, .nesterov = true}, true);
}
