#include "weir/compress/threshold_sparsifier_options.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace {

std::string refusal(weir::ThresholdSparsifierOptions const& options) {
  try {
    options.check();
  } catch (weir::ContractViolation const& error) {
    return error.what();
  }
  return {};
}

}

TEST_CASE("a density is above 0 and at most 1") {
  for (double density : {1e-9, 0.001, 1.0}) CHECK(refusal({.density = density}).empty());
  for (double density : {0.0, -0.01, 1.0001, std::numeric_limits<double>::infinity()}) {
    CHECK(refusal({.density = density}) == "ThresholdSparsifier: density is " + std::to_string(density) +
                                               ", it has to be above 0 and at most 1");
  }
  CHECK(refusal({.density = std::numeric_limits<double>::quiet_NaN()}).find("density is nan") !=
        std::string::npos);
  CHECK(refusal({.densities = {0.5, 0.0}}) ==
        "ThresholdSparsifier: a density of a bucket is 0.000000, it has to be above 0 and at most 1");
  CHECK(refusal({.warmup = {.steps_per_epoch = 1, .densities = {2.0}}}).find("DensityWarmup") == 0);
}

TEST_CASE("a capacity holds at least what is wanted, and values are sent in a type that there is") {
  CHECK(refusal({.capacity = 1.0}).empty());
  CHECK(refusal({.capacity = 0.5}) == "ThresholdSparsifier: capacity is 0.500000, it has to be at least 1");
  CHECK(!refusal({.capacity = std::numeric_limits<double>::quiet_NaN()}).empty());
  CHECK(refusal({.precision = weir::ElementType::bfloat16}).empty());
  CHECK(!refusal({.precision = weir::ElementType::float64}).empty());
}

TEST_CASE("buckets share a density unless each has its own") {
  CHECK(weir::ThresholdSparsifierOptions{.density = 0.5}.density_of(3) == 0.5);
  CHECK(weir::ThresholdSparsifierOptions{.density = 0.5, .densities = {0.1, 0.2}}.density_of(1) == 0.2);
}
