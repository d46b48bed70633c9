#include "weir/compress/density_warmup.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>

TEST_CASE("the density comes down by the same factor each epoch") {
  weir::DensityWarmup const warmup{.epochs = 4, .steps_per_epoch = 10};
  double const expected[] = {0.251189, 0.0630957, 0.0158489, 0.00398107, 0.001, 0.001};
  for (std::uint64_t epoch = 0; epoch < 6; ++epoch) {
    CHECK(warmup.of_epoch(epoch, 0.001) == doctest::Approx(expected[epoch]).epsilon(2e-6));
    for (std::uint64_t step : {0u, 9u})
      CHECK(warmup.of_step(10 * epoch + step, 0.001) == warmup.of_epoch(epoch, 0.001));
  }
  CHECK(warmup.of_epoch(4, 0.001) == 0.001);
  CHECK(warmup.largest(0.001) == warmup.of_epoch(0, 0.001));
}

TEST_CASE("a list of densities is taken as it is, and then the final one") {
  weir::DensityWarmup const warmup{.steps_per_epoch = 2, .densities = {0.25, 0.0625, 0.015625, 0.004, 0.001}};
  double const expected[] = {0.25,  0.25,  0.0625, 0.0625, 0.015625, 0.015625,
                             0.004, 0.004, 0.001,  0.001,  0.0005};
  for (std::uint64_t step = 0; step < 11; ++step) CHECK(warmup.of_step(step, 0.0005) == expected[step]);
  CHECK(warmup.largest(0.5) == 0.5);
  CHECK(warmup.largest(0.0005) == 0.25);
}

TEST_CASE("a warm-up says what it is") {
  CHECK(weir::DensityWarmup{.epochs = 4, .steps_per_epoch = 10}.text() ==
        "warm-up of 4 in epochs of 10 steps");
  CHECK(weir::DensityWarmup{.steps_per_epoch = 2, .densities = {0.25, 1e-7}}.text() ==
        "warm-up of 0.25 1e-07 in epochs of 2 steps");
  CHECK(weir::DensityWarmup{}.text().empty());
  CHECK(weir::DensityWarmup{.steps_per_epoch = 10}.text().empty());
}

TEST_CASE("without a warm-up the density is the final one from the first step on") {
  weir::DensityWarmup const none;
  none.check();
  CHECK(none.of_step(0, 0.01) == 0.01);
  CHECK(none.largest(0.01) == 0.01);
}

TEST_CASE("densities that are none, and epochs of no steps, are refused") {
  for (double density : {0.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    weir::DensityWarmup const warmup{.steps_per_epoch = 1, .densities = {0.5, density}};
    CHECK_THROWS_AS(warmup.check(), weir::ContractViolation);
  }
  CHECK_THROWS_WITH_AS((weir::DensityWarmup{.steps_per_epoch = 1, .densities = {1.5}}.check()),
                       "DensityWarmup: a density of 1.500000, it has to be above 0 and at most 1",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::DensityWarmup{.epochs = 2}.check(),
                       "DensityWarmup: steps_per_epoch is 0, an epoch has at least 1",
                       weir::ContractViolation);
}
