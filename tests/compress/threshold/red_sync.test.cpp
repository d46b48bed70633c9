#include "weir/compress/threshold/red_sync.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

static_assert(weir::TriedThreshold<weir::RedSync>);

using weir::TrialVerdict;

TEST_CASE("bisection between the mean and the largest, three times") {
  weir::TrialData const data{.size = 1000, .k = 10, .mean = 1.0, .largest = 9.0};
  weir::RedSync const policy;
  weir::Trial trial;
  CHECK(policy.start(data, trial) == TrialVerdict::retry);
  CHECK(trial.threshold == 5.0);
  CHECK(policy.judge(data, trial, 4) == TrialVerdict::retry);  // too few by far
  CHECK(trial.threshold == 3.0);
  CHECK(policy.judge(data, trial, 10) == TrialVerdict::retry);  // k itself is not enough
  CHECK(trial.threshold == 4.0);
  CHECK(policy.judge(data, trial, 100) == TrialVerdict::accept);  // the last one
}

TEST_CASE("between k and twice k is good") {
  weir::TrialData const data{.size = 1000, .k = 10, .mean = 1.0, .largest = 9.0};
  weir::RedSync const policy;
  for (std::uint64_t const count : {11u, 19u}) {
    weir::Trial trial;
    (void)policy.start(data, trial);
    CHECK(policy.judge(data, trial, count) == TrialVerdict::accept);
  }
  weir::Trial trial;
  (void)policy.start(data, trial);
  CHECK(policy.judge(data, trial, 20) == TrialVerdict::retry);
  CHECK(trial.threshold == 7.0);
}
