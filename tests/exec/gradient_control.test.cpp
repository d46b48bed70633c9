#include "weir/exec/gradient_control.hpp"

#include <doctest/doctest.h>

TEST_CASE("a scale is its value times the factor of its control, where there is one") {
  CHECK(weir::GradientScale{}.factor() == 1.0);
  CHECK(weir::GradientScale{.value = 0.25}.factor() == 0.25);
  weir::GradientControl control{.factor = 0.5};
  weir::GradientScale const scale{.value = 0.25, .control = &control};
  CHECK(scale.factor() == 0.125);
  control.factor = 2.0;
  CHECK(scale.factor() == 0.5);
}

TEST_CASE("a step is skipped when the control says so, at the time it is asked") {
  CHECK(!weir::GradientScale{}.skip());
  weir::GradientControl control;
  weir::GradientScale const scale{.control = &control};
  CHECK(!scale.skip());
  control.skip = 1;
  CHECK(scale.skip());
}
