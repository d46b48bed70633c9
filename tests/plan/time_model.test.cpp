#include "weir/plan/time_model.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "quick_start.hpp"

using weir::ContractViolation;
using weir::TimeModel;
using weir::WeightPolicy;
using weir::WorkLayout;

namespace {

constexpr std::size_t v100 = 0;
constexpr std::size_t p100 = 1;

void check_ms(double seconds, double milliseconds) {
  CHECK(1000 * seconds == doctest::Approx(milliseconds).scale(0).epsilon(1e-3 / milliseconds));
}

}  // namespace

TEST_CASE("the time model has the golden values of the quick-start profile") {
  TimeModel const model(quick_start());
  struct Row {
    std::size_t server, workers, micro_batches;
    double overlap, sequential, shared;
  };
  for (Row const& row :
       {Row{v100, 1, 1, 114.4018, 118.7067, 114.4018}, Row{v100, 3, 1, 300.3287, 308.3454, 299.9412},
        Row{v100, 4, 3, 1103.7906, 1113.6633, 1103.2094}, Row{v100, 2, 5, 970.5379, 976.6987, 0},
        Row{p100, 1, 1, 171.0761, 175.6366, 0}, Row{p100, 2, 2, 621.8565, 628.1826, 621.6722}}) {
    CAPTURE(row.workers);
    CAPTURE(row.micro_batches);
    WorkLayout const layout{row.workers, row.micro_batches, 32};
    check_ms(model.seconds(row.server, layout, WeightPolicy::overlap), row.overlap);
    check_ms(model.seconds(row.server, layout, WeightPolicy::sequential), row.sequential);
    if (row.shared != 0) check_ms(model.seconds(row.server, layout, WeightPolicy::shared), row.shared);
  }
}

TEST_CASE("the collectives and the copies have the golden values") {
  TimeModel const model(quick_start());
  double const all_reduce[] = {5.5905, 10.2658, 9.2142, 9.2584, 5.8828};
  REQUIRE(model.bucket_seconds(v100).size() == 5);
  for (std::size_t j = 0; j < 5; ++j) check_ms(model.bucket_seconds(v100)[j], all_reduce[j]);
  auto const one = model.phases(v100, 64, 1, WeightPolicy::overlap);
  auto const two = model.phases(v100, 64, 2, WeightPolicy::overlap);
  check_ms(two.update - one.update, 2.197);
}

TEST_CASE("a plan is as slow as its slowest device") {
  TimeModel const model(quick_start());
  CHECK(model.ranks() == 8);
  CHECK(model.server_of(3) == v100);
  CHECK(model.server_of(4) == p100);
  std::vector<WorkLayout> layouts(8, {1, 1, 32});
  check_ms(model.seconds(layouts, WeightPolicy::overlap), 171.0761);
  layouts[0] = {4, 3, 32};
  check_ms(model.seconds(layouts, WeightPolicy::overlap), 1103.7906);
  layouts.pop_back();
  CHECK_THROWS_WITH_AS(model.seconds(layouts, WeightPolicy::overlap),
                       "7 layouts for a cluster of 8 devices; one each would be right", ContractViolation);
}

TEST_CASE("a single device communicates nothing") {
  auto profile = quick_start();
  profile.cluster = {{"alone", "Tesla V100-PCIE-16GB", 1, weir::not_measured, weir::not_measured}};
  profile.inter = profile.intra = {};
  TimeModel const model(profile);
  for (double const seconds : model.bucket_seconds(0)) CHECK(seconds == 0);
}

TEST_CASE("one server takes the bandwidth inside it") {
  auto profile = quick_start();
  profile.cluster.pop_back();
  profile.inter = {};
  TimeModel const model(profile);
  double const ideal = weir::ideal_all_reduce_ms(9.2 * 1048576, 4, 15.75e9);
  check_ms(model.bucket_seconds(0).back(), weir::fit_all_reduce(profile.intra)(ideal));
}

TEST_CASE("an all-reduce never takes less than no time") {
  auto profile = quick_start();
  profile.inter = {.p = 1, .q = -9};
  TimeModel const model(profile);
  CHECK(model.bucket_seconds(0)[0] == 0);
  CHECK(model.bucket_seconds(0)[1] == 0);
  profile.inter.q = -1;
  CHECK(TimeModel(profile).bucket_seconds(0)[1] > 0);
}

TEST_CASE("a model of one bucket hides nothing") {
  auto profile = quick_start();
  profile.buckets_mib = {40};
  TimeModel const model(profile);
  auto const phases = model.phases(v100, 32, 1, WeightPolicy::shared);
  CHECK(phases.hidden == 0);
  CHECK(phases.exposed == 1);
  CHECK(phases.last_bucket > 0);
}

TEST_CASE("the model of a bad profile is refused with its first error") {
  auto profile = quick_start();
  profile.devices[0].local_batches[1].points[0].forward_ms = weir::not_measured;
  CHECK_THROWS_WITH_AS(TimeModel{profile},
                       "devices[0].local_batches[1].points[0].forward_ms: missing (Tesla V100-PCIE-16GB)",
                       ContractViolation);
  TimeModel const model(quick_start());
  CHECK_THROWS_WITH_AS(model.seconds(p100, {1, 1, 48}, WeightPolicy::shared),
                       "local batch 48 was not measured on Tesla P100-PCIE-16GB", ContractViolation);
}
