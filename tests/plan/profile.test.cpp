#include "weir/plan/profile.hpp"

#include <doctest/doctest.h>

#include "quick_start.hpp"

TEST_CASE("a profile counts its devices and finds them by name") {
  auto const profile = quick_start();
  CHECK(profile.device_count() == 8);
  auto const* const device = profile.find_device("Tesla P100-PCIE-16GB");
  REQUIRE(device != nullptr);
  CHECK(device == &profile.devices[1]);
  CHECK(profile.find_device("Tesla K80") == nullptr);
  REQUIRE(find_local_batch(*device, 64) != nullptr);
  CHECK(find_local_batch(*device, 64)->max_workers == 2);
  CHECK(find_local_batch(*device, 48) == nullptr);
}

TEST_CASE("what was not measured is no number") {
  weir::ProfilePoint const point;
  CHECK(point.forward_ms != point.forward_ms);
  CHECK_FALSE(weir::AllReduceProfile{}.is_given());
  CHECK(weir::AllReduceProfile{.p = 1}.is_given());
  CHECK(weir::AllReduceProfile{.samples_ms = {{1, 2}}}.is_given());
}
