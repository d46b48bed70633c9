#include "weir/core/gamma.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

TEST_CASE("ln_gamma agrees with the standard library's") {
  for (double x = 1e-3; x < 2000.0; x *= 1.037) {
    double const expected = std::lgamma(x);
    CHECK(std::fabs(weir::ln_gamma(x) - expected) < 1e-14 * std::fmax(1.0, std::fabs(expected)));
  }
  CHECK(std::fabs(weir::ln_gamma(1.0)) < 4e-15);
  CHECK(std::isinf(weir::ln_gamma(0.0)));
  CHECK(std::isnan(weir::ln_gamma(-0.5)));
}

TEST_CASE("the quantile of the upper tail has its known values") {
  double const cases[][3] = {{0.05, 0.5, 5.5738784407e-7}, {0.05, 0.001, 2.7364585987},
                             {0.3, 0.001, 4.6189360428},   {0.7, 0.01, 3.8757386772},
                             {1.0, 0.001, 6.9077552790},   {2.5, 0.25, 3.3128398819},
                             {10.0, 1e-6, 32.7103405175},  {50.0, 1e-6, 91.0633885598}};
  for (auto const& known : cases) {
    CAPTURE(known[0]);
    CHECK(std::fabs(weir::upper_gamma_quantile(known[0], known[1]) / known[2] - 1.0) < 1e-10);
  }
}

TEST_CASE("the quantile of shape 1 is that of the exponential distribution, of shape 1/2 that of a square") {
  for (double probability = 1e-6; probability < 0.5; probability *= 1.9) {
    CHECK(std::fabs(weir::upper_gamma_quantile(1.0, probability) / -std::log(probability) - 1.0) < 1e-12);
    double const z = weir::normal_quantile(probability / 2.0);
    CHECK(std::fabs(weir::upper_gamma_quantile(0.5, probability) / (z * z / 2.0) - 1.0) < 1e-11);
  }
}

TEST_CASE("the quantile of an integer shape satisfies the finite sum for its tail") {
  for (int shape = 2; shape <= 50; shape += 6) {
    for (double probability = 1e-6; probability < 0.5; probability *= 3.7) {
      double const y = weir::upper_gamma_quantile(shape, probability);
      double term = std::exp(-y);
      double tail = term;
      for (int n = 1; n < shape; ++n) tail += term *= y / n;
      CAPTURE(shape);
      CAPTURE(probability);
      CHECK(std::fabs(tail / probability - 1.0) < 5e-12 * shape);
    }
  }
}

TEST_CASE(
    "the quantile is continuous where the expansion for large shapes begins, and falls with probability") {
  for (double probability : {0.4, 0.01, 1e-6}) {
    double const below = weir::upper_gamma_quantile(1e4, probability);
    double const above = weir::upper_gamma_quantile(1e4 * (1 + 1e-12), probability);
    CHECK(std::fabs(above / below - 1.0) < 1e-9);
  }
  for (double shape : {0.01, 0.05, 0.3, 1.0, 7.0, 300.0}) {
    double last = 1e300;
    for (double probability = 1e-12; probability < 0.999; probability *= 1.7) {
      double const y = weir::upper_gamma_quantile(shape, probability);
      CHECK(y < last);
      last = y;
    }
  }
}
