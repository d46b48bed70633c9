#include "weir/exec/clip_step.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <type_traits>

static_assert(std::is_trivially_copyable_v<weir::ClipStep>);

namespace {

struct Result {
  weir::GradientControl control;
  double norm = -1.0;
};

Result clip(weir::Measurement const (&measurements)[2], double max_norm, weir::GradientScale scale = {}) {
  Result result;
  weir::ClipStep{measurements, 2, scale, max_norm, &result.control, &result.norm}();
  return result;
}

}

TEST_CASE("the factor is max_norm over the norm of all buckets where that is too large, else 1") {
  auto const large = clip({{9.0, 0}, {16.0, 0}}, 2.5);
  CHECK(large.norm == 5.0);
  CHECK(large.control.factor == 0.5);
  CHECK(large.control.skip == 0);
  CHECK(clip({{9.0, 0}, {16.0, 0}}, 5.0).control.factor == 1.0);
  CHECK(clip({{9.0, 0}, {16.0, 0}}, 50.0).control.factor == 1.0);
  CHECK(clip({{0.0, 0}, {0.0, 0}}, 1.0).norm == 0.0);
  CHECK(clip({{0.0, 0}, {0.0, 0}}, 1.0).control.factor == 1.0);
}

TEST_CASE("what the gradient is still to be multiplied by counts, and is kept") {
  weir::GradientControl const before{.factor = 0.25, .skip = 1};
  auto const result = clip({{9.0, 0}, {16.0, 0}}, 1.0, {.value = -2.0, .control = &before});
  CHECK(result.norm == 2.5);
  CHECK(result.control.factor == 0.25 * (1.0 / 2.5));
  CHECK(result.control.skip == 1);
}

TEST_CASE("a gradient that is not finite has an infinite norm and is clipped to nothing") {
  auto const result = clip({{9.0, 1}, {16.0, 0}}, 1.0);
  CHECK(result.norm == std::numeric_limits<double>::infinity());
  CHECK(result.control.factor == 0.0);
}
