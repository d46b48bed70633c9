#include "weir/plan/learning_rate.hpp"

#include <doctest/doctest.h>

#include <cstddef>

using weir::BatchScaling;
using weir::LearningRate;

TEST_CASE("the rate follows the batch and its warm-up") {
  LearningRate const linear{
      .base = 0.1, .rule = BatchScaling::linear, .reference_batch = 256, .warmup_epochs = 5};
  CHECK(linear.at(0, 512) == doctest::Approx(0.1).epsilon(1e-12));
  CHECK(linear.at(2.5, 512) == doctest::Approx(0.15).epsilon(1e-12));
  CHECK(linear.at(5, 512) == doctest::Approx(0.2).epsilon(1e-12));
  CHECK(linear.at(90, 512, 0.01) == doctest::Approx(0.002).epsilon(1e-12));
  LearningRate const root{.base = 0.1, .rule = BatchScaling::square_root, .reference_batch = 256};
  CHECK(root.at(0, 512) == doctest::Approx(0.14142136).epsilon(1e-7));
  LearningRate const none{.base = 0.1, .rule = BatchScaling::none, .reference_batch = 256};
  CHECK(none.at(3, 512) == 0.1);
}

TEST_CASE("a rate that comes back has the same bits after a million changes of the batch") {
  LearningRate const rate{
      .base = 0.1, .rule = BatchScaling::linear, .reference_batch = 256, .warmup_epochs = 5};
  double drifting = rate.base;  // multiplied and divided, as the reference does
  for (std::size_t step = 0; step < 1'000'000; ++step) {
    std::size_t const batch = 256 + 32 * (step * 7919 % 113);
    REQUIRE(rate.at(static_cast<double>(step) / 1000, batch) >= 0.1);
    drifting *= rate.factor(batch);
    drifting /= rate.factor(batch);
  }
  CHECK(rate.at(1000, 256) == 0.1);
  CHECK(rate.at(1000, 512) == 0.2);
  CHECK(drifting != 0.1);
}
