#include "weir/mask/cross_entropy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace {

using Numbers = std::vector<double>;
using Labels = std::vector<std::size_t>;

double loss_of(Numbers const& logits, Labels const& labels, Numbers& gradient,
               weir::CrossEntropyOptions const& options = {}) {
  return weir::cross_entropy(std::span<double const>(logits), std::span<std::size_t const>(labels),
                             std::span<double>(gradient), options);
}

}  // namespace

TEST_CASE("cross_entropy: the mean of -ln of the probability of the label") {
  Numbers const logits = {0, 0, 0, 1, 2, 4};
  Numbers gradient(6);
  double const second = std::exp(1.0) + std::exp(2.0) + std::exp(4.0);
  CHECK(loss_of(logits, {1, 2}, gradient) ==
        doctest::Approx((std::log(3.0) + std::log(second / std::exp(4.0))) / 2));
  CHECK(gradient[0] == doctest::Approx(1.0 / 6));
  CHECK(gradient[1] == doctest::Approx(-2.0 / 6));
  CHECK(gradient[5] == doctest::Approx((std::exp(4.0) / second - 1) / 2));
}

TEST_CASE("cross_entropy: its gradient is the slope of the loss, times weight and factors") {
  Numbers logits = {0.3, -1.2, 2.0, 0.1, 0.1, -0.4, 5.0, 1.0, -2.0};
  Labels const labels = {1, 0, 2};
  Numbers const factors = {0.5, 0.3, 0.2};
  weir::CrossEntropyOptions const options{.weight = 1.7, .factors = factors};
  Numbers gradient(9), unused(9);
  loss_of(logits, labels, gradient, options);
  for (std::size_t i = 0; i < 9; ++i) {
    double const step = 1e-6, before = logits[i];
    logits[i] = before + step;
    double const above = loss_of(logits, labels, unused, options);
    logits[i] = before - step;
    double const below = loss_of(logits, labels, unused, options);
    logits[i] = before;
    CHECK(gradient[i] == doctest::Approx(1.7 * (above - below) / (2 * step)).epsilon(1e-6));
  }
}

TEST_CASE("cross_entropy: logits of any size, and a batch without samples") {
  Numbers gradient(2);
  CHECK(loss_of({5000, -5000}, {0}, gradient) == 0);
  CHECK(loss_of({5000, -5000}, {1}, gradient) == 10000);
  CHECK(gradient == Numbers{1, -1});
  Numbers none;
  CHECK(loss_of({}, {}, none) == 0);
}

TEST_CASE("cross_entropy: a label that is no class, and sizes that do not belong together, are refused") {
  Numbers gradient(4);
  CHECK_THROWS_WITH_AS(loss_of({1, 2, 3, 4}, {0, 2}, gradient),
                       "cross_entropy: label 2 of sample 1, there are 2 classes", weir::ContractViolation);
  CHECK_THROWS_AS(loss_of({1, 2, 3}, {0, 1}, gradient), weir::ContractViolation);
  Numbers const factors = {1};
  CHECK_THROWS_AS(loss_of({1, 2, 3, 4}, {0, 1}, gradient, {.factors = factors}), weir::ContractViolation);
}
