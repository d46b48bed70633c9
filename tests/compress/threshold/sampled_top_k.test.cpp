#include "weir/compress/threshold/sampled_top_k.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "support/sparse_bucket.hpp"

static_assert(weir::SampledThreshold<weir::SampledTopK>);

using weir::TrialVerdict;

TEST_CASE("the sample is a percent, or two divided by the density") {
  weir::SampledTopK const policy;
  weir::SampleRequest request = policy.sample({.size = 100001, .density = 0.1});
  CHECK(request.size == 1001);
  CHECK(request.rank == 101);  // 100.1, up
  request = policy.sample({.size = 100000, .density = 0.001});
  CHECK(request.size == 2000);
  CHECK(request.rank == 2);
  request = policy.sample({.size = 500, .density = 0.001});
  CHECK(request.size == 500);
  CHECK(request.rank == 1);
}

TEST_CASE("too little lowers the threshold, at most ten times, too much makes it exact") {
  weir::TrialData const data{.size = 10000, .k = 300, .density = 0.03, .sampled = 2.0};
  weir::SampledTopK const policy;
  weir::Trial trial;
  CHECK(policy.start(data, trial) == TrialVerdict::retry);
  CHECK(trial.threshold == 2.0);
  CHECK(policy.judge(data, trial, 401) == TrialVerdict::exact);
  CHECK(policy.judge(data, trial, 400) == TrialVerdict::accept);
  CHECK(policy.judge(data, trial, 240) == TrialVerdict::accept);
  for (trial.count = 0; trial.count < 10; ++trial.count) {
    CHECK(policy.judge(data, trial, 239) == TrialVerdict::retry);
  }
  CHECK(std::fabs(trial.threshold / (2.0 * std::pow(0.8, 10)) - 1.0) < 1e-14);
  CHECK(policy.judge(data, trial, 0) == TrialVerdict::accept);
}

TEST_CASE(
    "on continuous data the quality is between 0.8 and 4/3, about 1 on average, and no place is preferred") {
  weir::HostExecutor const executor;
  std::size_t const size = 40000;
  double sum = 0.0;
  std::vector<double> deciles(10, 0.0);
  double all = 0.0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::vector<float> const values = weir_test::Draws(seed).laplace(size);
    weir_test::SparseBucketOptions options{.density = 0.05};
    options.constants.seed = seed;
    weir_test::SparseBucket<float> bucket(executor, size, options);
    bucket.step(values, weir::SampledTopK{});
    CHECK(bucket.last().quality >= 0.8);
    CHECK(bucket.last().quality <= 4.0 / 3.0);
    sum += bucket.last().quality;
    for (auto const index : bucket.indices()) deciles[index / (size / 10)] += 1.0;
    all += static_cast<double>(bucket.indices().size());
  }
  CHECK(sum / 50.0 >= 0.9);
  CHECK(sum / 50.0 <= 1.1);
  double chi_square = 0.0;
  for (double const count : deciles) chi_square += std::pow(count - all / 10.0, 2.0) / (all / 10.0);
  CHECK(chi_square < 21.67);  // p > 0.01
}

TEST_CASE("a tiny density draws most of the bucket") {
  weir::HostExecutor const executor;
  std::size_t const size = (std::size_t{1} << 18) + 5;
  std::vector<float> values(size, 0.25f);
  for (std::size_t i = 0; i < size; i += 2) values[i] = -0.5f;
  values[200001] = 3.0f;
  values[100] = 2.0f;
  weir_test::SparseBucket<float> bucket(executor, size, {.density = 2.5 / static_cast<double>(size)});
  bucket.step(values, weir::SampledTopK{});
  CHECK(bucket.indices() == std::vector<std::uint32_t>{100, 200001});
}
