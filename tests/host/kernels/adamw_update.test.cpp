#include "weir/host/kernels/adamw_update.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "host/each_width.hpp"
#include "host/verb_oracle.hpp"

namespace {

template <class Real>
void check_widths() {
  std::size_t const size = 517;
  oracle::Numbers numbers(6);
  auto const weights = numbers.vector<Real>(size), gradient = numbers.vector<Real>(size);
  auto const start = numbers.vector<Real>(size);
  auto start_second = numbers.vector<Real>(size);
  for (Real& value : start_second) value = std::abs(value);
  std::vector<Real> out(size), first, second, expected(size), expected_first = start,
                                                              expected_second = start_second;
  oracle::AdamW<Real> const reference{Real(2),
                                      Real(0.1),
                                      Real(0.9),
                                      Real(0.5),
                                      Real(1 - 0.9),
                                      Real(1 - 0.5),
                                      Real(1 / (1 - 0.81)),
                                      Real(1 / (1 - 0.25)),
                                      Real(1e-4),
                                      Real(0.01)};
  for (std::size_t i = 0; i < size; ++i) {
    reference(weights[i], expected[i], gradient[i], expected_first[i], expected_second[i]);
  }
  weir::OptimizerState const state{.learning_rate = 0.1, .step = 2, .beta1_power = 0.81, .beta2_power = 0.25};
  using Update = weir::detail::AdamWUpdate<Real>;
  with_each_width(
      0, size,
      [&] {
        first = start;
        second = start_second;
        out.assign(size, Real{77});
        return weir::detail::Elementwise<Update>{
            Update({weights.data(), out.data(), gradient.data(), first.data(), second.data()},
                   {.beta1 = 0.9, .beta2 = 0.5, .epsilon = 1e-4, .weight_decay = 0.01}, state, {.value = 2})};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(out == expected);
        CHECK(first == expected_first);
        CHECK(second == expected_second);
      });
}

}  // namespace

TEST_CASE("an update has the bits of a plain loop in vectors of any width") {
  check_widths<float>();
  check_widths<double>();
}

TEST_CASE("the first step moves a weight by the learning rate, against the sign of its gradient") {
  for (double gradient : {3.0, -0.02, 1e5}) {
    double weight = 1, first = 0, second = 0;
    weir::OptimizerState state{.next_learning_rate = 0.25};
    weir::AdvanceOptimizer{&state, 0.9, 0.999, nullptr}();
    weir::detail::AdamWUpdate<double> const update({&weight, &weight, &gradient, &first, &second},
                                                   {.epsilon = 1e-12, .weight_decay = 0}, state, {});
    update.step<1>(0);
    CHECK(weight == doctest::Approx(gradient > 0 ? 0.75 : 1.25).epsilon(1e-9));
  }
}

TEST_CASE("weight decay shrinks a weight whose gradient is zero, by rate times decay") {
  double weight = 2, first = 0, second = 0;
  double const gradient = 0;
  weir::OptimizerState const state{.learning_rate = 0.5, .beta1_power = 0.9, .beta2_power = 0.999};
  weir::detail::AdamWUpdate<double> const update({&weight, &weight, &gradient, &first, &second},
                                                 {.weight_decay = 0.25}, state, {});
  update.step<1>(0);
  CHECK(weight == 2 - 0.5 * 0.25 * 2);
}
