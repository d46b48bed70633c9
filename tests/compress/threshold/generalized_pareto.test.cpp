#include "weir/compress/threshold/generalized_pareto.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

#include "weir/exec/threshold_policy.hpp"

using weir::GeneralizedPareto;

static_assert(weir::StagedThreshold<GeneralizedPareto> && !weir::needs_logarithms<GeneralizedPareto>);

TEST_CASE("known thresholds of mean, variance and ratio") {
  double const cases[][4] = {{1, 1, 0.01, 4.60517018599},
                             {1, 1.5, 0.01, 5.77217345016},
                             {1, 0.5, 0.01, 2.7},
                             {2, 3, 0.001, 9.57281127576},
                             {1, 1 + 1e-7, 0.001, 6.90775612652},
                             {1, 1 - 1e-7, 0.001, 6.90775443144},
                             {1, 1 + 1e-9, 0.001, 6.90775527553}};
  for (auto const& known : cases) {
    CAPTURE(known[1]);
    CHECK(std::fabs(GeneralizedPareto::quantile(known[0], known[1], known[2]) / known[3] - 1.0) < 1e-11);
  }
  weir::TailStatistics const tail{.participants = 3, .sum = 6.0, .squared_deviations = 6.0};
  CHECK(GeneralizedPareto{}.fit(tail, 0.001) == doctest::Approx(9.57281127576));
}

TEST_CASE("the shape passes through zero without a step") {
  double const exponential = std::log(1000.0);
  for (double shape = 1e-3; shape > 1e-13; shape /= 3.0) {
    for (double const signed_shape : {shape, -shape}) {
      double const variance = 1.0 / (1.0 - 2.0 * signed_shape);  // of mean 1
      double const scale = 1.0 - signed_shape;
      double const expected = scale * std::expm1(signed_shape * exponential) / signed_shape;
      CHECK(std::fabs(GeneralizedPareto::quantile(1.0, variance, 0.001) / expected - 1.0) < 1e-6);
    }
  }
  for (double const variance : {1 + 2.1e-8, 1 + 1.9e-8, 1 - 1.9e-8, 1 - 2.1e-8}) {
    CHECK(std::fabs(GeneralizedPareto::quantile(1.0, variance, 0.001) / exponential - 1.0) < 1e-6);
  }
}

TEST_CASE("no spread is no infinity") {
  CHECK(GeneralizedPareto::quantile(3.0, 0.0, 0.01) == 3.0);
  CHECK(GeneralizedPareto::quantile(3.0, 1e-320, 0.01) == 3.0);
  double const bounded = GeneralizedPareto::quantile(1.0, 1.0 / 12.0, 1e-9);  // support up to b / |xi|
  CHECK(bounded < 1.0 + 2.0 / 11.0 + 1e-6);
}
