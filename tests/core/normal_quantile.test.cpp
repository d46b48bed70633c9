#include "weir/core/normal_quantile.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

#include "special_samples.hpp"

namespace {

long double probability_below(double x) {
  return std::erfc(-static_cast<long double>(x) / std::sqrt(2.0L)) / 2;
}
long double density(double x) {
  return std::exp(-static_cast<long double>(x) * x / 2) / std::sqrt(2 * std::acos(-1.0L));
}

}  // namespace

TEST_CASE("the normal distribution function takes its quantile back to the probability") {
  samples::Bits bits{3};
  for (int i = 0; i < 300'000; ++i) {
    double const p = i % 2 == 0 ? bits.uniform()
                                : std::ldexp(1 + bits.uniform(), -static_cast<int>(bits.next() % 1'000) - 2);
    if (p == 0) continue;
    double const x = weir::normal_quantile(p);
    double const error =
        static_cast<double>((probability_below(x) - static_cast<long double>(p)) / density(x));
    REQUIRE(std::abs(error) <= 2e-15 * (1 + std::abs(x)));
  }
}

TEST_CASE("special arguments of the normal quantile") {
  double const infinity = std::numeric_limits<double>::infinity();
  CHECK(weir::normal_quantile(0.5) == 0);
  CHECK(weir::normal_quantile(0) == -infinity);
  CHECK(weir::normal_quantile(1) == infinity);
  CHECK(std::isnan(weir::normal_quantile(-0.1)));
  CHECK(std::isnan(weir::normal_quantile(1.1)));
  CHECK(std::isnan(weir::normal_quantile(std::numeric_limits<double>::quiet_NaN())));
  CHECK(weir::normal_quantile(0.975) == doctest::Approx(1.959963984540054).epsilon(1e-15));
}

TEST_CASE("opposite probabilities have opposite quantiles") {
  for (double p : {0.25, 0.03125, 0x1p-30, 0.4375})
    CHECK(weir::normal_quantile(p) == -weir::normal_quantile(1 - p));
}

TEST_CASE("the bits of the normal quantile are the ones that were written down") {
  auto const quantile = [](double p) { return weir::normal_quantile(p); };
  CHECK(samples::hash(quantile, samples::probability) == samples::normal_quantile);
}
