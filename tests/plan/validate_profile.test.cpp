#include "weir/plan/validate_profile.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "quick_start.hpp"

namespace {

/// The only error after `change` was made.
template <class Change>
std::string error_of(Change const& change) {
  auto profile = quick_start();
  change(profile);
  auto const errors = weir::validate(profile);
  REQUIRE(errors.size() == 1);
  return errors.front().text();
}

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("the quick-start profile has no error") {
  CHECK(weir::validate(quick_start()).empty());
}

TEST_CASE("a number that is missing, infinite or out of range is named with its device") {
  CHECK(error_of([](auto& p) { p.devices[0].local_batches[1].points[0].forward_ms = weir::not_measured; }) ==
        "devices[0].local_batches[1].points[0].forward_ms: missing (Tesla V100-PCIE-16GB)");
  CHECK(error_of([](auto& p) { p.devices[1].local_batches[0].points[2].copy_ms = -0.5; }) ==
        "devices[1].local_batches[0].points[2].copy_ms: negative; at least 0 would be right "
        "(Tesla P100-PCIE-16GB)");
  CHECK(error_of([](auto& p) { p.devices[1].local_batches[2].points[0].data_ms = infinity; }) ==
        "devices[1].local_batches[2].points[0].data_ms: infinite; a finite number would be right "
        "(Tesla P100-PCIE-16GB)");
  CHECK(error_of([](auto& p) { p.buckets_mib[3] = 0; }) ==
        "buckets_mib[3]: not above 0; a positive number would be right");
  CHECK(error_of([](auto& p) { p.bucket_cap_mib = -1; }) ==
        "bucket_cap_mib: not above 0; a positive number would be right");
  CHECK(error_of([](auto& p) { p.buffer_sync_ms = -1; }) ==
        "buffer_sync_ms: negative; at least 0 would be right");
  CHECK(error_of([](auto& p) { p.cluster[1].inter_bytes_per_second = 0; }) ==
        "cluster[1].inter_bytes_per_second: not above 0; a positive number would be right "
        "(Tesla P100-PCIE-16GB)");
  CHECK(error_of([](auto& p) { p.inter.samples_ms[4].measured_ms = -1; }) ==
        "allreduce.inter.samples_ms[4][1]: negative; at least 0 would be right");
}

TEST_CASE("forward and backward pass may not both take no time") {
  CHECK(
      error_of([](auto& p) {
        auto& point = p.devices[0].local_batches[2].points[0];
        point.forward_ms = point.backward_ms = 0;
      }) ==
      "devices[0].local_batches[2].points[0].forward_ms: 0, as backward_ms is; a sum above 0 would be right "
      "(Tesla V100-PCIE-16GB)");
}

TEST_CASE("counts are at least 1") {
  CHECK(error_of([](auto& p) { p.cluster[0].count = 0; }) ==
        "cluster[0].count: 0; at least 1 would be right (Tesla V100-PCIE-16GB)");
  CHECK(error_of([](auto& p) {
          p.devices[0].local_batches[0].max_workers = 0;
        }).starts_with("devices[0].local_batches[0].max_workers: 0;"));
  CHECK(error_of([](auto& p) {
          p.devices[0].local_batches[0].size = 0;
        }).starts_with("devices[0].local_batches[0].size: 0;"));
}

TEST_CASE("counts that nobody has are refused before something is allocated for them") {
  CHECK(error_of([](auto& p) { p.cluster[1].count = std::size_t{1} << 60; }) ==
        "cluster[1].count: more than 1048576 devices in all (Tesla P100-PCIE-16GB)");
  CHECK(error_of([](auto& p) {
          p.devices[0].local_batches[0].max_workers = 1'000'000;
        }).starts_with("devices[0].local_batches[0].max_workers: more than 65536 workers"));
}

TEST_CASE("names and sizes are unique") {
  CHECK(error_of([](auto& p) { p.cluster[1].server = "node0"; }) ==
        "cluster[1].server: already that of cluster[0] (Tesla P100-PCIE-16GB)");
  CHECK(error_of([](auto& p) { p.devices.push_back(p.devices[0]); }) ==
        "devices[2].name: already that of devices[0] (Tesla V100-PCIE-16GB)");
  CHECK(error_of([](auto& p) { p.devices[0].local_batches[3].size = 32; }) ==
        "devices[0].local_batches[3].size: already that of local_batches[0] (Tesla V100-PCIE-16GB)");
  CHECK(error_of([](auto& p) {
          p.devices[0].local_batches[0].points[1].workers = 4;
        }).starts_with("devices[0].local_batches[0].points[2].workers: already that of points[1]"));
}

TEST_CASE("an unknown device of the cluster is named") {
  CHECK(error_of([](auto& p) { p.cluster[1].device = "Tesla K80"; }) ==
        "cluster[1].device: not one of the profiled devices (Tesla K80)");
}

TEST_CASE("the workers that have to be measured are") {
  CHECK(error_of([](auto& p) {
          auto& points = p.devices[0].local_batches[0].points;
          points.erase(points.begin());
        }) == "devices[0].local_batches[0].points: missing: a point for 1 worker (Tesla V100-PCIE-16GB)");
  CHECK(error_of([](auto& p) { p.devices[0].local_batches[1].points.pop_back(); }) ==
        "devices[0].local_batches[1].points: missing: a point for 2 workers (Tesla V100-PCIE-16GB)");
  CHECK(error_of([](auto& p) {
          p.devices[0].local_batches[1].max_workers = 5;
        }).find("fewer than 3 workers measured") != std::string::npos);
  auto profile = quick_start();  // a fit needs 1 and the largest only
  auto& points = profile.devices[0].local_batches[0].points;
  points.erase(points.begin() + 1);
  CHECK(weir::validate(profile).empty());
}

TEST_CASE("a fit that falls to 0 is an error") {
  CHECK(error_of([](auto& p) {
          auto& batch = p.devices[0].local_batches[0];
          batch.points[2].backward_ms = 4000;  // far slower with 4 workers
          batch.max_workers = 64;
        }) ==
        "devices[0].local_batches[0].points: the throughput that follows from them is not above 0 for 64 "
        "workers "
        "(Tesla V100-PCIE-16GB)");
}

TEST_CASE("the collectives that a cluster needs are given, and no others have to be") {
  CHECK(error_of([](auto& p) { p.inter = {}; }) ==
        "allreduce.inter: missing; a cluster of 2 or more servers needs it");
  CHECK(error_of([](auto& p) {
          p.cluster.pop_back();
          p.intra = {};
        }) == "allreduce.intra: missing; a cluster of one server of 2 or more devices needs it");
  CHECK(error_of([](auto& p) {
          p.inter.samples_ms = {{1, 2}, {1, 3}};
        }) == "allreduce.inter.samples_ms: one ideal time only; two or more different ones would be right");
  CHECK(error_of([](auto& p) { p.inter = {.p = 1}; }) == "allreduce.inter.q: missing");

  auto profile = quick_start();
  profile.intra = {};
  for (auto& server : profile.cluster) server.intra_bytes_per_second = weir::not_measured;
  CHECK(weir::validate(profile).empty());
  profile.cluster.pop_back();
  profile.cluster[0].count = 1;
  profile.cluster[0].inter_bytes_per_second = weir::not_measured;
  profile.inter = {};
  CHECK(weir::validate(profile).empty());
}

TEST_CASE("an empty profile has all errors at once") {
  auto const errors = weir::validate({});
  REQUIRE(errors.size() == 3);
  CHECK(errors[0].path == "buckets_mib");
  CHECK(errors[1].path == "devices");
  CHECK(errors[2].path == "cluster");
}
