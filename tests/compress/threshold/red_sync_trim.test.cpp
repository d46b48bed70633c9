#include "weir/compress/threshold/red_sync_trim.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

static_assert(weir::TriedThreshold<weir::RedSyncTrim>);

using weir::TrialVerdict;

TEST_CASE("down in steps until enough exceeds it, to zero at most") {
  weir::TrialData const data{.size = 1000, .k = 10, .mean = 1.0, .largest = 6.0};
  weir::RedSyncTrim const policy;
  weir::Trial trial;
  CHECK(policy.start(data, trial) == TrialVerdict::retry);
  CHECK(trial.threshold == doctest::Approx(5.0));
  for (double const expected : {4.0, 3.0, 2.0, 1.0}) {
    CHECK(policy.judge(data, trial, 9) == TrialVerdict::retry);
    CHECK(trial.threshold == doctest::Approx(expected));
    ++trial.count;
  }
  CHECK(policy.judge(data, trial, 9) == TrialVerdict::take);
  CHECK(trial.threshold == 0.0);
  CHECK(policy.judge(data, trial, 10) == TrialVerdict::accept);
}
