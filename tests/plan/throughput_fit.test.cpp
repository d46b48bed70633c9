#include "weir/plan/throughput_fit.hpp"

#include <doctest/doctest.h>

#include <string>

#include "quick_start.hpp"

using weir::ProfileRounding;
using weir::ThroughputFit;

TEST_CASE("the throughput fits of the quick-start profile are those of the reference") {
  auto const profile = quick_start();
  ThroughputFit const v100(profile.devices[0].local_batches[0], profile.rounding);
  CHECK(v100.one() == 324.75);
  CHECK(v100.alpha() == doctest::Approx(0.1067594).epsilon(1e-6));
  CHECK(v100.beta() == doctest::Approx(1.009).epsilon(1e-7));
  ThroughputFit const p100(profile.devices[1].local_batches[0], profile.rounding);
  CHECK(p100.one() == 205.15);
  CHECK(p100.alpha() == doctest::Approx(0.0764628).epsilon(1e-6));
  CHECK(p100.beta() == doctest::Approx(1.0093333).epsilon(1e-7));
}

TEST_CASE("with fewer than 3 workers measured the throughput is as measured") {
  auto const profile = quick_start();
  ThroughputFit const fit(profile.devices[0].local_batches[1], profile.rounding);
  CHECK_FALSE(fit.is_fitted());
  CHECK(fit.relative(1) == 1);
  CHECK(fit.relative(2) == 1.07);
  CHECK_THROWS_WITH_AS(fit.relative(3), doctest::Contains("local batch 64 was not measured with 3 workers"),
                       weir::ContractViolation);
}

TEST_CASE("without rounding the measured times come back") {
  weir::LocalBatchProfile const batch{10, 2, {{1, 0, 1.23456, 2.34567, 0, 0}, {2, 0, 2.11111, 3.2, 0, 0}}};
  ThroughputFit const exact(batch, ProfileRounding::none);
  CHECK(exact.seconds(1) == doctest::Approx(0.00358023).epsilon(1e-12));
  CHECK(exact.seconds(2) == doctest::Approx(0.00531111).epsilon(1e-12));
  ThroughputFit const rounded(batch, ProfileRounding::reference);
  CHECK(rounded.seconds(1) == 0.0036);
  CHECK(rounded.seconds(2) == 0.0053);
}

TEST_CASE("rounding keeps the given decimals") {
  CHECK(weir::rounded(1.23456, 2, ProfileRounding::reference) == 1.23);
  CHECK(weir::rounded(1.23556, 2, ProfileRounding::reference) == 1.24);
  CHECK(weir::rounded(1.23556, 2, ProfileRounding::none) == 1.23556);
}
