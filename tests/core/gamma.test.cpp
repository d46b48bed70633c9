#include "weir/core/gamma.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

namespace {

/// Q(shape, y) by quadrature: exp(-y) y^(shape-1) / Gamma(shape) times the integral of (1 + s/y)^(shape-1)
/// exp(-s), with s = exp(pi/2 sinh(u)).
long double upper_tail(long double shape, long double y) {
  constexpr long double half_pi = 1.5707963267948966192313216916397514421L;
  constexpr long double step = 1.0L / 64;
  long double sum = 0.0L;
  for (int i = -320; i <= 320; ++i) {
    long double const u = step * static_cast<long double>(i);
    long double const s = std::exp(half_pi * std::sinh(u));
    if (s > 11000.0L) break;
    long double const slope = half_pi * std::cosh(u) * s;
    sum += std::exp((shape - 1.0L) * std::log1p(s / y) - s) * slope;
  }
  return step * sum * std::exp((shape - 1.0L) * std::log(y) - y - std::lgamma(shape));
}

}  // namespace

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

TEST_CASE("the quantile of any shape has its tail, found by quadrature") {
  for (double const shape :
       {0.05, 0.07, 0.11, 0.2, 0.3, 0.45, 0.7, 0.95, 1.3, 2.5, 4.2, 7.7, 15.3, 29.9, 50.0}) {
    for (double const probability : {1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.25, 0.5}) {
      CAPTURE(shape);
      CAPTURE(probability);
      double const y = weir::upper_gamma_quantile(shape, probability);
      long double const tail = upper_tail(shape, y);
      // How much the logarithm of the tail falls where that of y rises.
      long double const slope =
          std::exp(static_cast<long double>(shape) * std::log(static_cast<long double>(y)) - y -
                   std::lgamma(static_cast<long double>(shape))) /
          tail;
      CHECK(std::fabs(static_cast<double>((tail / probability - 1.0L) / slope)) < 1e-10);
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
