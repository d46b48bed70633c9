#pragma once

#include "weir/core/host_device.hpp"
#include "weir/core/normal_quantile.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/core/special.hpp"
#include "weir/core/square_root.hpp"

namespace weir::inline v1 {

/// The logarithm of the gamma function, for x > 0, to about 1e-14, or to as many of its digits where it is
/// larger. Same bits on every host and on the device.
///
/// Source: Stirling's series beyond 10, the recurrence below.
WEIR_HOST_DEVICE inline double ln_gamma(double x) {
  constexpr double half_ln_2_pi = 0x1.d67f1c864beb5p-1;
  constexpr double series[] = {1.0 / 12,   -1.0 / 360,        1.0 / 1260, -1.0 / 1680,
                               1.0 / 1188, -691.0 / 360360.0, 1.0 / 156,  -3617.0 / 122400.0};
  if (!(x > 0.0)) return x == 0.0 ? detail::infinity : detail::not_a_number;
  double below = 1.0;
  for (; x < 10.0; x += 1.0) below = rounded_product(below, x);
  double const over = 1.0 / x;
  double const correction = rounded_product(over, detail::polynomial(rounded_product(over, over), series));
  double const leading = rounded_product(x - 0.5, ln(x)) - x;
  return (leading + (half_ln_2_pi + correction)) - ln(below);
}

namespace detail {

/// ln of y^a e^-y / Gamma(a), where y is given by its logarithm.
WEIR_HOST_DEVICE inline double ln_gamma_density(double a, double y, double ln_y) {
  return (rounded_product(a, ln_y) - y) - ln_gamma(a);
}

/// ln Q(a, y): of the part of a gamma distribution of shape a that lies above y.
WEIR_HOST_DEVICE inline double ln_upper_gamma(double a, double y, double ln_y) {
  constexpr int longest_series = 20000;
  double const density = ln_gamma_density(a, y, ln_y);
  if (y < a + 1.0) {
    double term = 1.0 / a;
    double sum = term;
    for (int n = 1; n < longest_series && term > sum * 0x1p-54; ++n) {
      term = rounded_product(term, y / (a + n));
      sum += term;
    }
    double const lower = exp(density + ln(sum));
    return lower < 1.0 ? ln(1.0 - lower) : -infinity;
  }
  // The continued fraction as Lentz evaluates it.
  constexpr double tiny = 1e-300;
  double b = y + 1.0 - a;
  double c = 1.0 / tiny;
  double d = 1.0 / b;
  double fraction = d;
  for (int n = 1; n < longest_series; ++n) {
    double const numerator = -rounded_product(static_cast<double>(n), n - a);
    b += 2.0;
    d = rounded_product(numerator, d) + b;
    if (-tiny < d && d < tiny) d = tiny;
    c = b + numerator / c;
    if (-tiny < c && c < tiny) c = tiny;
    d = 1.0 / d;
    double const factor = rounded_product(d, c);
    fraction = rounded_product(fraction, factor);
    double const change = factor - 1.0;
    if (-0x1p-52 < change && change < 0x1p-52) break;
  }
  return density + ln(fraction);
}

/// For a large shape: how far a normal variable's quantile z is from that of a gamma variable.
WEIR_HOST_DEVICE inline double cornish_fisher(double a, double z) {
  double const root = v1::square_root(a);
  double const z2 = rounded_product(z, z);
  double const z3 = rounded_product(z2, z);
  double const z4 = rounded_product(z2, z2);
  double const z5 = rounded_product(z4, z);
  double y = a + rounded_product(z, root);
  y += (z2 - 1.0) / 3.0;
  y += (z3 - rounded_product(7.0, z)) / rounded_product(36.0, root);
  y -= (rounded_product(3.0, z4) + rounded_product(7.0, z2) - 16.0) / rounded_product(810.0, a);
  return y + (rounded_product(9.0, z5) + rounded_product(256.0, z3) - rounded_product(433.0, z)) /
                 rounded_product(38880.0, rounded_product(a, root));
}

}  // namespace detail

/// The y that the part `probability` of a gamma distribution of shape a exceeds: Q(a, y) = probability, for
/// probabilities in (0, 1), to 1e-10 of it. Same bits on every host and on the device.
///
/// Newton's method on ln Q over ln y, in a bracket: small shapes have their quantiles at tiny y. Shapes
/// beyond 10,000 take the expansion about the normal distribution.
WEIR_HOST_DEVICE inline double upper_gamma_quantile(double a, double probability) {
  double const z = -normal_quantile(probability);
  if (a > 1e4) return detail::cornish_fisher(a, z);
  double const target = ln(probability);
  double low = -745.0;
  double high = ln(a + v1::square_root(rounded_product(-2.0 * a, target)) - target);
  // Wilson and Hilferty, or the leading term near zero.
  double const third = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * v1::square_root(a));
  double w = third > 0.0 && a > 0.5 ? ln(a) + rounded_product(3.0, ln(third))
                                    : (ln(1.0 - probability) + ln_gamma(a + 1.0)) / a;
  for (int i = 0; i < 100; ++i) {
    if (!(low < w && w < high)) w = low + (high - low) / 2.0;
    double const y = exp(w);
    double const upper = detail::ln_upper_gamma(a, y, w);
    double const miss = upper - target;
    if (miss > 0.0)
      low = w;
    else
      high = w;
    double const slope = exp(detail::ln_gamma_density(a, y, w) - upper);
    double const next = w + miss / slope;
    double const change = next - w;
    w = next;
    if ((-1e-14 < change && change < 1e-14) || miss == 0.0) break;
  }
  return exp(w);
}

}  // namespace weir::inline v1
