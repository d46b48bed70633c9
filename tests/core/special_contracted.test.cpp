// The functions of core/special.hpp once more, in a unit where the compiler is told to fuse multiplications
// with additions and has the instruction for it. Another inline namespace keeps these functions apart from
// the other units' in the linked program.

#include <doctest/doctest.h>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "special_samples.hpp"

// clang fuses across statements only where it optimises.
#if defined(__x86_64__) && (!defined(__clang__) || defined(__OPTIMIZE__))

#define v1 contracted
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("fma"))), apply_to = function)
#pragma clang fp contract(fast)
#else
#pragma GCC push_options
#pragma GCC target("fma")
#pragma GCC optimize("O2", "fp-contract=fast")
#endif

#include "weir/core/normal_quantile.hpp"
#include "weir/core/special.hpp"

namespace {

double multiply_add(double x, double y, double z) {
  return x * y + z;
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
double quantile(double x) {
  return weir::normal_quantile(x);
}

}  // namespace

#if defined(__clang__)
#pragma clang attribute pop
#pragma clang fp contract(on)
#else
#pragma GCC pop_options
#endif
#undef v1

TEST_CASE("the bits stay the same where the compiler fuses multiplications with additions" *
          doctest::skip(__builtin_cpu_supports("fma") == 0)) {
  double const volatile one_plus = 1 + 0x1p-40;
  double const volatile rounded_square = -(1 + 0x1p-39);
  CHECK_MESSAGE(multiply_add(one_plus, one_plus, rounded_square) == 0x1p-80,
                "this unit fuses, or proves nothing");

  CHECK(samples::hash(our_ln, samples::any_positive) == samples::ln_any_positive);
  CHECK(samples::hash(our_ln, samples::around_one) == samples::ln_around_one);
  CHECK(samples::hash(our_exp, samples::any_exponent) == samples::exp_any_exponent);
  CHECK(samples::hash(our_exp, samples::around_zero) == samples::exp_around_zero);
  CHECK(samples::hash(our_expm1, samples::any_exponent) == samples::expm1_any_exponent);
  CHECK(samples::hash(our_expm1, samples::around_zero) == samples::expm1_around_zero);
  CHECK(samples::hash(quantile, samples::probability) == samples::normal_quantile);
}

#endif
