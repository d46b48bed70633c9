#include "weir/core/special.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "special_samples.hpp"
#include "support/worst_error.hpp"

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double least_subnormal = std::numeric_limits<double>::denorm_min();

/// The distance from the truth in units of the last place.
double distance(double result, long double truth) {
  double const nearest = static_cast<double>(truth);
  if (std::isinf(nearest) || std::isnan(nearest)) return result == nearest ? 0 : infinity;
  double const magnitude = std::abs(nearest);
  double const above = std::nextafter(magnitude, infinity);
  double const unit = std::isinf(above) ? magnitude - std::nextafter(magnitude, 0.0) : above - magnitude;
  return static_cast<double>(std::abs(static_cast<long double>(result) - truth) /
                             static_cast<long double>(unit));
}

template <class Function, class Truth, class Draw>
double worst_distance(Function function, Truth truth, Draw draw) {
  samples::Bits bits{7};
  double worst = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    double const x = draw(bits);
    double const now = distance(function(x), truth(static_cast<long double>(x)));
    worst = weir_test::worst_error(worst, now);
  }
  return worst;
}

double our_ln(double x) {
  return weir::ln(x);
}
double our_exp(double x) {
  return weir::exp(x);
}
double our_expm1(double x) {
  return weir::expm1(x);
}
long double true_ln(long double x) {
  return std::log(x);
}
long double true_exp(long double x) {
  return std::exp(x);
}
long double true_expm1(long double x) {
  return std::expm1(x);
}

double near_one(samples::Bits& bits) {
  return 1 + (bits.uniform() - 0.5) * std::ldexp(1.0, -static_cast<int>(bits.next() % 50));
}
double near_zero(samples::Bits& bits) {
  return (bits.uniform() - 0.5) * std::ldexp(1.0, -static_cast<int>(bits.next() % 1'070));
}
double subnormal(samples::Bits& bits) {
  return std::bit_cast<double>(bits.next() % 0x0010'0000'0000'0000);
}
double to_the_edges(samples::Bits& bits) {
  return -750 + 1'461 * bits.uniform();
}

}  // namespace

TEST_CASE("ln is off by less than one unit in the last place") {
  CHECK(worst_distance(our_ln, true_ln, samples::any_positive) < 1);
  CHECK(worst_distance(our_ln, true_ln, samples::around_one) < 1);
  CHECK(worst_distance(our_ln, true_ln, near_one) < 1);
  CHECK(worst_distance(our_ln, true_ln, subnormal) < 1);
}

TEST_CASE("exp is off by less than one unit in the last place, of a subnormal result too") {
  CHECK(worst_distance(our_exp, true_exp, to_the_edges) < 1);
  CHECK(worst_distance(our_exp, true_exp, samples::around_zero) < 1);
  CHECK(worst_distance(our_exp, true_exp, near_zero) < 1);
}

TEST_CASE("expm1 is off by less than one unit in the last place") {
  CHECK(worst_distance(our_expm1, true_expm1, to_the_edges) < 1);
  CHECK(worst_distance(our_expm1, true_expm1, samples::around_zero) < 1);
  CHECK(worst_distance(our_expm1, true_expm1, near_zero) < 1);
}

TEST_CASE("special arguments of ln") {
  CHECK(our_ln(1) == 0);
  CHECK_FALSE(std::signbit(our_ln(1)));
  CHECK(our_ln(0.0) == -infinity);
  CHECK(our_ln(-0.0) == -infinity);
  CHECK(our_ln(infinity) == infinity);
  CHECK(std::isnan(our_ln(-1)));
  CHECK(std::isnan(our_ln(-infinity)));
  CHECK(std::isnan(our_ln(-least_subnormal)));
  CHECK(std::isnan(our_ln(nan_value)));
  CHECK(distance(our_ln(least_subnormal), std::log(0x1p-1074L)) < 1);
  CHECK(distance(our_ln(std::numeric_limits<double>::max()),
                 std::log(static_cast<long double>(std::numeric_limits<double>::max()))) < 1);
}

TEST_CASE("special arguments of exp") {
  CHECK(our_exp(0.0) == 1);
  CHECK(our_exp(-0.0) == 1);
  CHECK(our_exp(infinity) == infinity);
  CHECK(our_exp(-infinity) == 0);
  CHECK(std::isnan(our_exp(nan_value)));
  CHECK(our_exp(709.79) == infinity);
  CHECK(our_exp(1e300) == infinity);
  CHECK(our_exp(-745.2) == 0);
  CHECK(our_exp(-1e300) == 0);
  CHECK(our_exp(-745.1) == least_subnormal);
  CHECK(our_exp(least_subnormal) == 1);
}

TEST_CASE("special arguments of expm1") {
  CHECK(our_expm1(0.0) == 0);
  CHECK_FALSE(std::signbit(our_expm1(0.0)));
  CHECK(std::signbit(our_expm1(-0.0)));
  CHECK(our_expm1(infinity) == infinity);
  CHECK(our_expm1(-infinity) == -1);
  CHECK(std::isnan(our_expm1(nan_value)));
  CHECK(our_expm1(710.5) == infinity);
  CHECK(our_expm1(-1e300) == -1);
  CHECK(our_expm1(least_subnormal) == least_subnormal);
  CHECK(our_expm1(-least_subnormal) == -least_subnormal);
  CHECK(our_expm1(0x1p-60) == 0x1p-60);
}

TEST_CASE("the functions are constant expressions with the bits of the running program") {
  constexpr double at_compile_time[] = {weir::ln(0.3), weir::exp(-1.7), weir::expm1(0.6)};
  double const volatile arguments[] = {0.3, -1.7, 0.6};
  CHECK(weir::ln(arguments[0]) == at_compile_time[0]);
  CHECK(weir::exp(arguments[1]) == at_compile_time[1]);
  CHECK(weir::expm1(arguments[2]) == at_compile_time[2]);
}

TEST_CASE("the bits of ln, exp and expm1 are the ones that were written down") {
  CHECK(samples::hash(our_ln, samples::any_positive) == samples::ln_any_positive);
  CHECK(samples::hash(our_ln, samples::around_one) == samples::ln_around_one);
  CHECK(samples::hash(our_exp, samples::any_exponent) == samples::exp_any_exponent);
  CHECK(samples::hash(our_exp, samples::around_zero) == samples::exp_around_zero);
  CHECK(samples::hash(our_expm1, samples::any_exponent) == samples::expm1_any_exponent);
  CHECK(samples::hash(our_expm1, samples::around_zero) == samples::expm1_around_zero);
}
