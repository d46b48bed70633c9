#include "weir/exec/loss_factor.hpp"

#include <doctest/doctest.h>

TEST_CASE("a loss factor is the share of the micro-batch times the scale as it is when it is read") {
  CHECK(weir::LossFactor{.share = 0.375}.value() == 0.375);
  double scale = 1024.0;
  weir::LossFactor const factor{.share = 0.375, .scale = &scale};
  CHECK(factor.value() == 384.0);
  scale = 2.0;
  CHECK(factor.value() == 0.75);
}
