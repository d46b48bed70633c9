#include "weir/plan/solve.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "quick_start.hpp"
#include "weir/plan/simulate_step.hpp"

using weir::Plan;
using weir::PlanGroup;
using weir::PlanRequest;
using weir::Profile;
using weir::solve;
using weir::TimeModel;
using weir::WeightPolicy;
using weir::WorkLayout;

namespace {

std::string const v100 = "Tesla V100-PCIE-16GB";
std::string const p100 = "Tesla P100-PCIE-16GB";

/// Whether a plan is one that the request allows.
void check_legal(TimeModel const& model, PlanRequest const& request, Plan const& plan) {
  REQUIRE(plan.feasible);
  CHECK(plan.reason.empty());
  REQUIRE(plan.ranks.size() == model.ranks());
  std::size_t samples = 0;
  for (std::size_t rank = 0; rank < plan.ranks.size(); ++rank) {
    WorkLayout const& layout = plan.ranks[rank];
    auto const* const batch = find_local_batch(model.device_of(model.server_of(rank)), plan.local_batch);
    REQUIRE(batch != nullptr);
    REQUIRE(layout.workers >= 1);
    REQUIRE(layout.workers <= batch->max_workers);
    REQUIRE(layout.micro_batches >= 1);
    REQUIRE(layout.local_batch == plan.local_batch);
    samples += layout.workers * layout.micro_batches * layout.local_batch;
    WorkLayout const& first_of_unit = plan.ranks[rank / request.unit * request.unit];
    REQUIRE(layout.workers == first_of_unit.workers);
    REQUIRE(layout.micro_batches == first_of_unit.micro_batches);
  }
  CHECK(samples == request.global_batch);
  CHECK(plan.seconds_per_step == doctest::Approx(model.seconds(plan.ranks, plan.weight_sync)).epsilon(1e-12));
}

/// Any profile of up to `max_units` devices, with times that need not grow with the work.
Profile random_profile(std::mt19937& random, std::size_t max_units, std::size_t max_workers) {
  auto const below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  auto const ms = [&](double most) { return most * (1 + static_cast<double>(below(1000))) / 1000; };
  Profile profile;
  profile.rounding = below(2) == 0 ? weir::ProfileRounding::none : weir::ProfileRounding::reference;
  profile.buckets_mib.resize(1 + below(4));
  for (double& size : profile.buckets_mib) size = ms(30);
  profile.buffer_sync_ms = ms(3);
  profile.inter = profile.intra = {.p = ms(1), .q = ms(4)};
  std::size_t const types = 1 + below(2);
  std::size_t const sizes = 1 + below(2);
  for (std::size_t d = 0; d < types; ++d) {
    weir::DeviceProfile device{.name = "device " + std::to_string(d)};
    for (std::size_t s = 0; s < sizes; ++s) {
      weir::LocalBatchProfile batch{.size = std::size_t{8} << s, .max_workers = 1 + below(max_workers)};
      double const forward = ms(100);
      for (std::size_t k = 1; k <= batch.max_workers; ++k) {
        double const scale = static_cast<double>(k) * (0.7 + ms(0.3));
        batch.points.push_back({k, ms(3), forward * scale, 2 * forward * scale, ms(5), ms(3)});
      }
      device.local_batches.push_back(batch);
    }
    profile.devices.push_back(device);
  }
  for (std::size_t server = 0, devices = 0; devices < max_units && server < 3; ++server) {
    std::size_t const count = 1 + below(max_units - devices);
    devices += count;
    profile.cluster.push_back({"server " + std::to_string(server), "device " + std::to_string(below(types)),
                               count, 1e9 * ms(10), 1e9 * ms(10)});
  }
  return profile;
}

/// The best step time of all plans with a local batch, by trying everything.
double enumerate(TimeModel const& model, PlanRequest const& request, std::size_t local_batch) {
  constexpr double never = std::numeric_limits<double>::infinity();
  std::size_t const work = request.global_batch / local_batch / request.unit;
  std::size_t const units = model.ranks() / request.unit;
  std::vector<std::vector<double>> fastest(units, std::vector<double>(work + 1, never));
  for (std::size_t unit = 0; unit < units; ++unit) {
    std::size_t const server = model.server_of(unit * request.unit);
    std::size_t const max_workers = find_local_batch(model.device_of(server), local_batch)->max_workers;
    for (std::size_t k = 1; k <= max_workers; ++k) {
      for (std::size_t m = 1; k * m <= work; ++m) {
        double& best = fastest[unit][k * m];
        best = std::min(best, model.seconds(server, {k, m, local_batch}, request.weight_sync));
      }
    }
  }
  auto const rest = [&](auto const& self, std::size_t unit, std::size_t left) -> double {
    if (unit == units) return left == 0 ? 0 : never;
    double best = never;
    for (std::size_t own = 1; own <= left; ++own)
      best = std::min(best, std::max(fastest[unit][own], self(self, unit + 1, left - own)));
    return best;
  };
  return rest(rest, 0, work);
}

double seconds_of(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

TEST_CASE("the plans of the quick-start profile are the golden ones") {
  TimeModel const model(quick_start());
  struct Row {
    PlanRequest request;
    std::size_t local_batch;
    WorkLayout v100, p100;  // workers and micro-batches
    double milliseconds, samples_per_second;
  };
  Row const rows[] = {
      {{256, 4}, 32, {1, 1}, {1, 1}, 171.0761, 1496.410},
      {{384, 4}, 32, {2, 1}, {1, 1}, 209.3923, 1833.879},
      {{512, 4}, 32, {3, 1}, {1, 1}, 300.3287, 1704.799},
      {{768, 4}, 64, {2, 1}, {1, 1}, 384.5305, 1997.241},
      {{1024, 4}, 32, {1, 5}, {3, 1}, 521.5206, 1963.489},
      {{2048, 4}, 32, {2, 5}, {3, 2}, 970.5379, 2110.170},
      {{4096, 4}, 32, {4, 5}, {4, 3}, 1818.2688, 2252.692},
      {{512, 4, 0, WeightPolicy::sequential}, 32, {3, 1}, {1, 1}, 308.3454, 1660.475},
      {{768, 4, 32}, 32, {4, 1}, {2, 1}, 389.3124, 1972.709},
      {{640, 2}, 32, {3, 1}, {2, 1}, 320.4898, 1996.943},
      {{1152, 2}, 96, {1, 2}, {1, 1}, 567.1281, 2031.287},
  };
  for (Row const& row : rows) {
    CAPTURE(row.request.global_batch);
    Plan const plan = solve(model, row.request);
    check_legal(model, row.request, plan);
    CHECK(plan.local_batch == row.local_batch);
    CHECK(plan.groups == std::vector<PlanGroup>{{v100, 4, row.v100.workers, row.v100.micro_batches},
                                                {p100, 4, row.p100.workers, row.p100.micro_batches}});
    CHECK(1000 * plan.seconds_per_step == doctest::Approx(row.milliseconds).epsilon(1e-6));
    CHECK(plan.samples_per_second() == doctest::Approx(row.samples_per_second).epsilon(1e-6));
  }
}

TEST_CASE("units of one device may get different work in one server") {
  TimeModel const model(quick_start());
  Plan const plan = solve(model, {.global_batch = 352});
  check_legal(model, {.global_batch = 352}, plan);
  CHECK(plan.groups == std::vector<PlanGroup>{{v100, 3, 2, 1}, {v100, 1, 1, 1}, {p100, 4, 1, 1}});
  CHECK(1000 * plan.seconds_per_step == doctest::Approx(209.3923).epsilon(1e-6));
  CHECK(plan.samples_per_second() == doctest::Approx(1681.055).epsilon(1e-6));

  Plan const several = solve(model, {.global_batch = 1088});
  check_legal(model, {.global_batch = 1088}, several);
  CHECK(1000 * several.seconds_per_step == doctest::Approx(575.0678).epsilon(1e-6));
  CHECK(several.samples_per_second() == doctest::Approx(1891.951).epsilon(1e-6));
}

TEST_CASE("the plan is faster than that of the reference's greedy search") {
  TimeModel const model(quick_start());
  Plan const plan = solve(model, {.global_batch = 3520, .unit = 2});
  check_legal(model, {.global_batch = 3520, .unit = 2}, plan);
  CHECK(1000 * plan.seconds_per_step == doctest::Approx(1674.0242).epsilon(1e-6));
  CHECK(plan.samples_per_second() == doctest::Approx(2102.718).epsilon(1e-6));
  CHECK(plan.samples_per_second() > 2019.6);  // its own
}

TEST_CASE("a batch that no plan reaches is answered with the reason for each local batch") {
  TimeModel const model(quick_start());
  auto const reason = [&](PlanRequest const& request) {
    Plan const plan = solve(model, request);
    CHECK_FALSE(plan.feasible);
    CHECK(plan.groups.empty());
    CHECK(plan.ranks.empty());
    return plan.reason;
  };
  CHECK(reason({.global_batch = 128})
            .starts_with(
                "local batch 32: at most 4 workers for a batch of 128, fewer workers than devices (8); "));
  CHECK(
      reason({.global_batch = 1000}) ==
      "local batch 32: does not divide 1000; local batch 64: does not divide 1000; local batch 96: does not "
      "divide 1000; local batch 128: does not divide 1000; local batch 160: does not divide 1000");
  std::string const odd = reason({.global_batch = 288, .unit = 4});
  CHECK(odd.find("local batch 32: 9 workers, not a multiple of the unit (4)") != std::string::npos);
  CHECK(odd.find("local batch 96: at most 3 workers") != std::string::npos);

  auto profile = quick_start();
  profile.devices[1].local_batches.pop_back();
  TimeModel const without(profile);
  CHECK(solve(without, {.global_batch = 1600, .local_batch = 160}).reason ==
        "local batch 160: not profiled on Tesla P100-PCIE-16GB");
}

TEST_CASE("what cannot be asked for is refused") {
  TimeModel const model(quick_start());
  using weir::ContractViolation;
  CHECK_THROWS_WITH_AS(solve(model, {.global_batch = 512, .unit = 3}),
                       doctest::Contains("unit 3: node0 has 4 devices"), ContractViolation);
  CHECK_THROWS_WITH_AS(solve(model, {.global_batch = 512, .local_batch = 48}),
                       "local batch 48: no device was measured with it", ContractViolation);
  CHECK_THROWS_AS(solve(model, {.global_batch = 0}), ContractViolation);
  CHECK_THROWS_AS(solve(model, {.global_batch = 512, .unit = 0}), ContractViolation);
}

TEST_CASE("equal shares are as slow as the slowest device, and never better than the plan") {
  TimeModel const model(quick_start());
  Plan const equal = solve(model, {.global_batch = 1024, .equal_shares = true});
  check_legal(model, {.global_batch = 1024}, equal);
  for (WorkLayout const& layout : equal.ranks)
    CHECK(layout.workers * layout.micro_batches * equal.local_batch == 128);
  for (std::size_t batch = 256; batch <= 4096; batch += 256) {
    Plan const planned = solve(model, {.global_batch = batch});
    Plan const same = solve(model, {.global_batch = batch, .equal_shares = true});
    CHECK(planned.seconds_per_step <= same.seconds_per_step);
  }
  CHECK(solve(model, {.global_batch = 352, .equal_shares = true})
            .reason.find("11 workers, not a multiple of the devices (8)") != std::string::npos);
}

TEST_CASE("a single device is planned for, too") {
  auto profile = quick_start();
  profile.cluster = {{"alone", v100, 1, weir::not_measured, weir::not_measured}};
  TimeModel const model(profile);
  Plan const plan = solve(model, {.global_batch = 384});
  check_legal(model, {.global_batch = 384}, plan);
  CHECK(plan.groups.size() == 1);
}

TEST_CASE("the planner finds what enumeration finds, on 1000 random profiles") {
  std::mt19937 random(7);
  int feasible = 0;
  int in_pairs = 0;
  for (int round = 0; round < 1000;) {
    CAPTURE(round);
    Profile profile = random_profile(random, 4, 12);
    if (!weir::validate(profile).empty()) continue;  // a fit that falls to 0
    ++round;
    WeightPolicy const policies[] = {WeightPolicy::shared, WeightPolicy::sequential, WeightPolicy::overlap};
    PlanRequest request{.global_batch = 8 * (1 + random() % 12), .weight_sync = policies[random() % 3]};
    if (random() % 2 == 0) {  // each device twice, and the two of a unit have the same work
      request.unit = 2;
      request.global_batch *= 2;
      for (auto& server : profile.cluster) server.count *= 2;
      ++in_pairs;
    }
    TimeModel const model(profile);
    double best = std::numeric_limits<double>::infinity();
    for (auto const& batch : profile.devices[0].local_batches) {
      std::size_t const work = request.global_batch / batch.size;
      if (request.global_batch % batch.size == 0 && work >= model.ranks() && work % request.unit == 0)
        best = std::min(best, enumerate(model, request, batch.size));
    }
    Plan const plan = solve(model, request);
    REQUIRE(plan.feasible == (best < std::numeric_limits<double>::infinity()));
    if (!plan.feasible) {
      REQUIRE_FALSE(plan.reason.empty());
      continue;
    }
    ++feasible;
    check_legal(model, request, plan);
    REQUIRE(plan.seconds_per_step == doctest::Approx(best).epsilon(1e-12));
  }
  CHECK(feasible > 500);
  CHECK(in_pairs > 400);
}

TEST_CASE("large batches and clusters are planned at once") {
  TimeModel const model(quick_start());
  for (std::size_t const unit : {2u, 1u}) {
    double shortest = 1;  // of a few: a machine that is busy with something else says nothing
    for (int round = 0; round < 5; ++round) {
      auto const begin = std::chrono::steady_clock::now();
      Plan const plan = solve(model, {.global_batch = 32768, .unit = unit});
      shortest = std::min(shortest, seconds_of(begin));
      check_legal(model, {.global_batch = 32768, .unit = unit}, plan);
    }
    CHECK(shortest < 0.010);
  }

  Profile profile = quick_start();
  profile.cluster.clear();
  auto const base = profile.devices;
  profile.devices.clear();
  for (std::size_t type = 0; type < 8; ++type) {
    auto device = base[type % 2];
    device.name = "type " + std::to_string(type);
    for (auto& batch : device.local_batches) {
      for (auto& point : batch.points) point.backward_ms *= 1 + 0.137 * static_cast<double>(type);
    }
    profile.devices.push_back(device);
    profile.cluster.push_back({"server " + std::to_string(type), device.name, 8, 15.75e9, 12.5e9});
  }
  TimeModel const large(profile);
  auto const begin = std::chrono::steady_clock::now();
  Plan const plan = solve(large, {.global_batch = 32768});
  CHECK(seconds_of(begin) < 1.0);
  check_legal(large, {.global_batch = 32768}, plan);
}
