#include "weir/exec/local_clip_step.hpp"

#include <doctest/doctest.h>

namespace {

double sum_of(weir::GradientScale const& scale) {
  weir::Measurement const measurements[] = {{9.0, 0}, {16.0, 1}};
  double sum = 0.0;
  weir::LocalNormStep{measurements, 2, scale, &sum}();
  return sum;
}

}

TEST_CASE("the norm is that of the scaled gradient, of the finite elements of all buckets") {
  weir::GradientControl const half{0.5, 0};
  CHECK(sum_of({}) == 25.0);
  CHECK(sum_of({2.0, nullptr}) == 100.0);
  CHECK(sum_of({2.0, &half}) == 25.0);
}

TEST_CASE("a norm above the limit is brought down to it, and a skipped step stays one") {
  double const sum = 50.0;
  double norm = 0.0;
  weir::GradientControl control;
  weir::LocalClipStep{&sum, 2.0, 4.0, nullptr, &control, &norm}();
  CHECK(norm == 5.0);
  CHECK(control.factor == 0.8);
  CHECK(control.skip == 0);

  weir::GradientControl const before{0.5, 1};
  weir::LocalClipStep{&sum, 2.0, 4.0, &before, &control, &norm}();
  CHECK(control.factor == 0.4);
  CHECK(control.skip == 1);
  weir::LocalClipStep{&sum, 2.0, 5.0, &before, &control, &norm}();
  CHECK(control.factor == 0.5);
}
