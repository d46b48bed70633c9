#include "weir/exec/stage_plan.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>

namespace {

double product(weir::StagePlan const& plan, double first_ratio) {
  double all = first_ratio;
  for (std::uint32_t done = 1; done < plan.stages; ++done) all *= plan.ratio(done);
  return all;
}

}  // namespace

TEST_CASE("the ratios of all stages multiply to the probability") {
  for (std::uint32_t stages = 2; stages <= 10; ++stages) {
    for (double const probability : {0.1, 0.01, 0.001, 1e-6}) {
      weir::StagePlan const plan = weir::plan_stages({}, stages, 0.25, probability);
      CHECK(plan.stages == stages);
      CHECK(std::fabs(product(plan, 0.25) / probability - 1.0) < 1e-12);
    }
  }
}

TEST_CASE("a fixed number of stages has no limit") {
  for (std::uint32_t const stages : {65u, 1000u, 100'000u}) {
    weir::StagePlan const plan = weir::plan_stages({}, stages, 0.25, 0.001);
    CHECK(plan.stages == stages);
    CHECK(std::fabs(product(plan, 0.25) / 0.001 - 1.0) < 1e-9);
  }
  weir::StagePlan const most = weir::plan_stages({}, 0xffff'ffffu, 0.25, 0.001);
  CHECK(most.stages == 0xffff'ffffu);
  CHECK(most.later < 1.0);
}

TEST_CASE("one stage where the first would leave too few") {
  CHECK(weir::plan_stages({}, 3, 0.25, 0.25).stages == 1);
  CHECK(weir::plan_stages({}, 3, 0.25, 0.9).stages == 1);
  CHECK(weir::plan_stages({}, 3, 0.25, 0.2499).stages == 3);
  CHECK(weir::plan_stages({}, 1, 0.25, 0.001).stages == 1);
}

TEST_CASE("a fixed ratio takes as many stages as it needs, the last the remainder") {
  weir::StageConstants constants{.count = weir::StageCount::ratio, .ratio = 0.2};
  weir::StagePlan plan = weir::plan_stages(constants, 1, 0.25, 0.001);
  CHECK(plan.stages == 5);
  CHECK(plan.ratio(1) == 0.2);
  CHECK(plan.ratio(3) == 0.2);
  CHECK(std::fabs(plan.ratio(4) - 0.5) < 1e-12);
  constants.ratio = 0.075;
  plan = weir::plan_stages(constants, 1, 0.25, 0.001);
  CHECK(plan.stages == 4);
  CHECK(std::fabs(plan.ratio(3) - 0.7111) < 1e-4);
  constants.ratio = 0.5;  // used up exactly
  plan = weir::plan_stages(constants, 1, 0.25, 0.0625);
  CHECK(plan.stages == 3);
  CHECK(plan.ratio(2) == 0.5);
  for (double const ratio : {0.05, 0.1, 0.3, 0.9}) {
    constants.ratio = ratio;
    plan = weir::plan_stages(constants, 1, 0.25, 0.01);
    CHECK(std::fabs(product(plan, 0.25) / 0.01 - 1.0) < 1e-12);
    CHECK(plan.last <= 1.0);
  }
  constants.ratio = 0.999;
  CHECK(weir::plan_stages(constants, 1, 0.25, 1e-9).stages == weir::most_stages);
}
