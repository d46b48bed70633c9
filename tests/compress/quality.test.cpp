#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "support/sparse_bucket.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/gamma.hpp"
#include "weir/compress/threshold/gamma_pareto.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold/normal.hpp"
#include "weir/core/half.hpp"
#include "weir/exec/staged_fit.hpp"

namespace {

using weir_test::Draws;
using weir_test::SparseBucket;
using weir_test::SparseBucketOptions;

constexpr std::size_t size = std::size_t{1} << 20;

template <class Policy>
double quality(std::vector<float> const& values, double density, std::uint32_t stages) {
  weir::HostExecutor const executor;
  SparseBucketOptions options{.density = density};
  options.constants.stages.stages = stages;
  SparseBucket<float> bucket(executor, values.size(), options);
  bucket.step(values, Policy{});
  return bucket.last().quality;
}

/// At 0.1, 0.01 and 0.001, where the sample is small and the bound wider.
template <class Policy>
void check(std::vector<float> const& values, std::uint32_t stages, double bound, double wide_bound) {
  for (double const density : {0.1, 0.01, 0.001}) {
    CAPTURE(std::string(Policy::name));
    CAPTURE(stages);
    CAPTURE(density);
    double const miss = std::fabs(quality<Policy>(values, density, stages) - 1.0);
    CHECK(miss <= (density > 0.005 ? bound : wide_bound));
  }
}

weir::TailStatistics tail_above(std::vector<float> const& values, double base) {
  weir::TailStatistics tail;
  for (float const value : values) {
    double const x = std::fabs(static_cast<double>(value)) - base;
    if (!(x > 0.0)) continue;
    tail.smallest = tail.participants == 0 ? x : std::min(tail.smallest, x);
    tail.largest = std::max(tail.largest, x);
    ++tail.participants;
    tail.sum += x;
    tail.sum_of_logarithms += std::log(x);
  }
  for (float const value : values) {
    double const x = std::fabs(static_cast<double>(value)) - base;
    if (x > 0.0) tail.squared_deviations += (x - tail.mean()) * (x - tail.mean());
  }
  return tail;
}

/// No threshold of several stages is below the one before.
template <class Policy>
void check_rising(std::vector<float> const& values) {
  CAPTURE(std::string(Policy::name));
  weir::TailStatistics const whole = tail_above(values, 0.0);
  for (std::uint32_t stages = 2; stages <= 10; ++stages) {
    CAPTURE(stages);
    for (double const density : {0.1, 0.01, 0.001}) {
      CAPTURE(density);
      weir::StagedFit<Policy> fit;
      double last = 0.0;
      bool goes_on = fit.start(Policy{}, {whole}, density, {}, stages, 0.25);
      while (goes_on) {
        CHECK(fit.threshold >= last);
        last = fit.threshold;
        goes_on = fit.resume(Policy{}, tail_above(values, last));
      }
      CHECK(fit.threshold >= last);
      CHECK(fit.stages >= 1);
      CHECK(fit.stages <= stages);
    }
  }
}

void check_within(std::vector<float> const& values, double least, double most) {
  for (double const density : {0.1, 0.01, 0.001}) {
    CAPTURE(density);
    double const found = quality<weir::GeneralizedPareto>(values, density, 3);
    CHECK(found >= least);
    CHECK(found <= most);
  }
}

}  // namespace

TEST_CASE("data of the fitted distribution is cut where it should be") {
  Draws draws(31);
  std::vector<float> const laplace = draws.laplace(size);
  for (std::uint32_t const stages : {1u, 2u, 3u}) {
    check<weir::Exponential>(laplace, stages, 0.05, 0.10);
    check<weir::GeneralizedPareto>(laplace, stages, 0.05, 0.10);
  }
  for (double const shape : {0.3, 0.7}) check<weir::Gamma>(draws.gamma(size, shape), 1, 0.08, 0.15);
  for (double const shape : {0.1, 0.3}) {
    check<weir::GeneralizedPareto>(draws.pareto(size, shape), 1, 0.05, 0.10);
  }
}

TEST_CASE("generalized Pareto in three stages does well on other data") {
  Draws draws(32);
  check_within(draws.student(size, 3.0), 0.70, 1.15);
  check_within(draws.mixture(size), 0.70, 1.15);
  check_within(draws.half_normal(size), 0.85, 1.05);
}

TEST_CASE("zeros take no part in a fit") {
  Draws draws(34);
  std::vector<float> values = draws.gamma(size, 0.3);
  for (std::size_t i = 0; i < size; i += 2) values[i] = i % 4 == 0 ? 0.0f : -0.0f;
  check<weir::Gamma>(values, 1, 0.08, 0.15);
  values = draws.laplace(size);
  for (std::size_t i = 0; i < size; i += 2) values[i] = 0.0f;
  check<weir::Exponential>(values, 1, 0.05, 0.10);
}

TEST_CASE("numbers of 16 bits whose squares are none are fitted in double") {
  weir::HostExecutor const executor;
  Draws draws(35);
  std::vector<weir::half> halves;
  std::vector<float> floats;
  for (float const value : draws.laplace(size / 4)) {
    halves.emplace_back(value * 3000.0f);
    floats.push_back(halves.back());
  }
  weir::TailStatistics const tail = tail_above(floats, 0.0);
  CHECK(tail.largest > 256.0);
  auto const check_fit = [&](auto const& policy, double ratio) {
    SparseBucket<float, weir::half> bucket(executor, halves.size(), {.density = 0.01});
    bucket.step(halves, policy);
    CHECK(bucket.last().threshold / policy.fit(tail, ratio) == doctest::Approx(1.0).epsilon(1e-6));
    CHECK(std::fabs(bucket.last().quality - 1.0) <= 0.08);
  };
  double const k = std::floor(0.01 * static_cast<double>(halves.size()));
  double const ratio = k / static_cast<double>(tail.participants);
  check_fit(weir::Exponential{}, ratio);
  check_fit(weir::GeneralizedPareto{}, ratio);
  check_fit(weir::Gamma{}, ratio);
}

TEST_CASE("thresholds of 2 to 10 stages do not fall") {
  Draws draws(36);
  for (auto const& values : {draws.laplace(8000), draws.pareto(8000, 0.3), draws.half_normal(8000),
                             draws.uniform(8000), draws.quantised(8000, 12)}) {
    check_rising<weir::Exponential>(values);
    check_rising<weir::GeneralizedPareto>(values);
    check_rising<weir::GammaPareto>(values);
    check_rising<weir::Normal>(values);
  }
}

TEST_CASE("the histogram is within one percent on anything") {
  weir::HostExecutor const executor;
  Draws draws(33);
  std::size_t const count = 200000;
  std::vector<std::vector<float>> data = {draws.laplace(count),       draws.gamma(count, 0.3),
                                          draws.pareto(count, 0.3),   draws.student(count, 3.0),
                                          draws.mixture(count),       draws.half_normal(count),
                                          draws.uniform(count),       draws.lognormal(count, 1.5),
                                          draws.quantised(count, 50), draws.lognormal(count, 20.0)};
  data.push_back(data[0]);  // half zeros
  for (std::size_t i = 0; i < count; i += 2) data.back()[i] = 0.0f;
  data.push_back(data[7]);  // rounded to bfloat16
  for (float& value : data.back()) value = weir::bfloat16(value);
  data.push_back(data[0]);  // subnormal
  for (float& value : data.back()) value *= 1e-40f;
  data.push_back(data[2]);  // sorted
  std::sort(data.back().begin(), data.back().end());
  data.push_back(data[0]);  // periodic
  for (std::size_t i = 0; i < count; ++i) data.back()[i] = data.back()[i % 64];
  data.push_back(data[0]);  // clustered
  for (std::size_t i = 0; i < count; ++i) data.back()[i] *= i / 1000 == 77 ? 100.0f : 1.0f;
  for (std::size_t which = 0; which < data.size(); ++which) {
    CAPTURE(which);
    for (double const density : {0.1, 0.01, 0.001, 0.0001}) {
      CAPTURE(density);
      for (bool const feedback : {false, true}) {
        SparseBucket<float> bucket(executor, count, {.density = density, .feedback = feedback});
        for (int step = 0; step < (feedback ? 3 : 1); ++step) {
          bucket.step(data[which], weir::Histogram{});
          std::uint64_t const target = bucket.last().k_target;
          std::uint64_t const selected = bucket.last().k_selected;
          std::uint64_t const miss = selected < target ? target - selected : selected - target;
          CHECK(miss <= target / 100);
          CHECK(bucket.last().stages >= 1);
          CHECK(bucket.last().stages <= 3);
        }
      }
    }
  }
}
