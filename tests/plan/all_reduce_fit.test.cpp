#include "weir/plan/all_reduce_fit.hpp"

#include <doctest/doctest.h>

#include "quick_start.hpp"

TEST_CASE("the fits of the quick-start profile are those of the reference") {
  auto const profile = quick_start();
  auto const inter = weir::fit_all_reduce(profile.inter);
  CHECK(inter.slope == doctest::Approx(0.7163325).epsilon(1e-7));
  CHECK(inter.intercept == doctest::Approx(3.9478997).epsilon(1e-7));
  auto const intra = weir::fit_all_reduce(profile.intra);
  CHECK(intra.slope == doctest::Approx(1.4171531).epsilon(1e-7));
  CHECK(intra.intercept == doctest::Approx(1.2085961).epsilon(1e-7));
}

TEST_CASE("a line that is given is taken as it is") {
  auto const line = weir::fit_all_reduce({.p = 0.5, .q = 3});
  CHECK(line(10) == 8);
}

TEST_CASE("the ideal time is that of the reference's profiler") {
  // 1 MiB over 8 devices at 12.5e9 bytes a second, with the profiler's factor 4.
  CHECK(weir::ideal_all_reduce_ms(1048576, 8, 12.5e9) == doctest::Approx(0.2936013).epsilon(1e-6));
  CHECK(weir::ideal_all_reduce_ms(1048576, 1, 12.5e9) == 0);
}
