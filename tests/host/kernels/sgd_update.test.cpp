#include "weir/host/kernels/sgd_update.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "host/each_width.hpp"
#include "host/verb_oracle.hpp"

namespace {

template <class Real>
void check_widths(weir::SgdConstants constants) {
  std::size_t const size = 517;
  oracle::Numbers numbers(5);
  auto const weights = numbers.vector<Real>(size), gradient = numbers.vector<Real>(size),
             start = numbers.vector<Real>(size);
  std::vector<Real> out(size), velocity, expected(size), expected_velocity = start;
  oracle::Sgd<Real> const reference{Real(0.5),
                                    Real(0.1),
                                    static_cast<Real>(constants.momentum),
                                    static_cast<Real>(constants.weight_decay),
                                    constants.nesterov,
                                    true};
  for (std::size_t i = 0; i < size; ++i)
    reference(weights[i], expected[i], gradient[i], expected_velocity[i]);
  weir::OptimizerState const state{.learning_rate = 0.1};
  using Update = weir::detail::SgdUpdate<Real>;
  with_each_width(
      0, size,
      [&] {
        velocity = start;
        out.assign(size, Real{77});
        return weir::detail::Elementwise<Update>{
            Update({weights.data(), out.data(), gradient.data(), velocity.data()}, constants, state,
                   {.value = 0.5})};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(out == expected);
        CHECK(velocity == expected_velocity);
      });
}

}  // namespace

TEST_CASE("an update has the bits of a plain loop in vectors of any width") {
  check_widths<float>({.momentum = 0.9});
  check_widths<float>({.momentum = 0.9, .weight_decay = 0.01});
  check_widths<double>({.momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
}

TEST_CASE("descent with momentum follows the recurrence known from the textbook") {
  // Of w^2 / 2 from w = 1: the gradient is w. Computed by hand for rate 0.5, momentum 0.5.
  double weight = 1, velocity = 0, gradient = 0;
  weir::OptimizerState const state{.learning_rate = 0.5};
  double const expected[] = {0.5, 0.0, -0.25, -0.25};
  for (double after : expected) {
    gradient = weight;
    weir::detail::SgdUpdate<double> const update({&weight, &weight, &gradient, &velocity}, {.momentum = 0.5},
                                                 state, {});
    update.step<1>(0);
    CHECK(weight == after);
  }
}
