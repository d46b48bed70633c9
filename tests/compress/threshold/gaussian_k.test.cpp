#include "weir/compress/threshold/gaussian_k.hpp"

#include <doctest/doctest.h>

#include <cmath>

static_assert(weir::TriedThreshold<weir::GaussianK>);

using weir::TrialVerdict;

TEST_CASE("a quantile of the normal distribution, corrected twice") {
  weir::TrialData const data{.size = 1000, .k = 50, .mean = 1.0, .deviation = 2.0};
  weir::GaussianK const policy;
  weir::Trial trial;
  CHECK(policy.start(data, trial) == TrialVerdict::retry);
  double const first = 1.0 + 2.0 * 1.959963984540054;
  CHECK(std::fabs(trial.threshold / first - 1.0) < 1e-14);
  CHECK(policy.judge(data, trial, 33) == TrialVerdict::retry);  // below two thirds
  CHECK(trial.threshold == doctest::Approx(0.5 * first));
  ++trial.count;
  CHECK(policy.judge(data, trial, 67) == TrialVerdict::retry);  // above four thirds
  CHECK(trial.threshold == doctest::Approx(0.75 * first));
  ++trial.count;
  CHECK(policy.judge(data, trial, 900) == TrialVerdict::accept);
}

TEST_CASE("from two thirds to four thirds of k is good") {
  weir::TrialData const data{.size = 1000, .k = 60, .mean = 1.0, .deviation = 2.0};
  weir::Trial trial;
  CHECK(weir::GaussianK{}.judge(data, trial, 40) == TrialVerdict::accept);
  CHECK(weir::GaussianK{}.judge(data, trial, 80) == TrialVerdict::accept);
  CHECK(weir::GaussianK{}.judge(data, trial, 39) == TrialVerdict::retry);
  CHECK(weir::GaussianK{}.judge(data, trial, 81) == TrialVerdict::retry);
}
