#include "weir/plan/line_fit.hpp"

#include <doctest/doctest.h>

using weir::fit_line;

TEST_CASE("a line through points on a line is that line, also far from the origin") {
  auto const line = fit_line({{1e6 + 1, 5}, {1e6 + 2, 7}, {1e6 + 4, 11}});
  CHECK(line.slope == doctest::Approx(2).epsilon(1e-12));
  CHECK(line(1e6 + 3) == doctest::Approx(9).epsilon(1e-9));
}

TEST_CASE("a line through scattered points has the least squares") {
  auto const line = fit_line({{0, 1}, {1, 0}, {2, 5}});
  CHECK(line.slope == doctest::Approx(2));
  CHECK(line.intercept == doctest::Approx(0));
}

TEST_CASE("points over one x give a level line") {
  auto const line = fit_line({{3, 1}, {3, 2}});
  CHECK(line.slope == 0);
  CHECK(line(100) == doctest::Approx(1.5));
  CHECK(fit_line({})(1) == 0);
}
