#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "support/sparse_bucket.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/gamma.hpp"
#include "weir/compress/threshold/gamma_approximate.hpp"
#include "weir/compress/threshold/gamma_pareto.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold/normal.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold/red_sync.hpp"
#include "weir/compress/threshold/red_sync_trim.hpp"
#include "weir/compress/threshold/sampled_top_k.hpp"
#include "weir/core/half.hpp"

namespace {

using weir_test::Draws;
using weir_test::SparseBucket;
using weir_test::SparseBucketOptions;

std::uint32_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}
std::uint64_t bits(double value) {
  return std::bit_cast<std::uint64_t>(value);
}

template <class Element>
using Accumulator = std::conditional_t<sizeof(Element) == 8, double, float>;
template <class Element>
using Bucket = SparseBucket<Accumulator<Element>, Element>;

template <class Element>
struct AnyPolicy {
  char const* name;
  void (*step)(Bucket<Element>& bucket, std::vector<Element> const& gradient);
};

template <class Element, class... Policy>
std::vector<AnyPolicy<Element>> list_of() {
  return {{Policy::name, [](auto& bucket, auto const& gradient) { bucket.step(gradient, Policy{}); }}...};
}

template <class Element>
std::vector<AnyPolicy<Element>> all_policies() {
  return list_of<Element, weir::Histogram, weir::ExactTopK, weir::Exponential, weir::GeneralizedPareto,
                 weir::Gamma, weir::GammaApproximate, weir::GammaPareto, weir::Normal, weir::SampledTopK,
                 weir::RedSync, weir::RedSyncTrim, weir::GaussianK, weir::RandomK>();
}

/// Steps with feedback: in each, what is sent and what stays are the accumulator, bit for bit.
template <class Element>
void check_conservation(AnyPolicy<Element> const& policy, std::vector<std::vector<Element>> const& gradients,
                        std::size_t capacity) {
  CAPTURE(std::string(policy.name));
  weir::HostExecutor const executor;
  std::size_t const size = gradients.front().size();
  Bucket<Element> bucket(executor, size, {.density = 0.02, .feedback = true, .capacity = capacity});
  bool is_conserved = true;
  std::size_t sent = 0;
  for (auto const& gradient : gradients) {
    auto const before = bucket.residual();
    policy.step(bucket, gradient);
    auto rest = bucket.residual();
    auto const indices = bucket.indices();
    for (std::size_t j = 0; j < indices.size(); ++j) {
      is_conserved &= bits(rest[indices[j]]) == 0;
      rest[indices[j]] = bucket.values()[j];
    }
    for (std::size_t i = 0; i < size; ++i) {
      auto const accumulated = static_cast<Accumulator<Element>>(gradient[i]) + before[i];
      is_conserved &= bits(rest[i]) == bits(accumulated);
    }
    sent += indices.size();
  }
  CHECK(is_conserved);
  CHECK(sent != 0);
}

}  // namespace

TEST_CASE("what is sent and what stays are the accumulator") {
  Draws draws(11);
  std::vector<std::vector<float>> gradients;
  for (int step = 0; step < 12; ++step) {
    gradients.push_back(step % 3 == 0 ? draws.quantised(3000, 6) : draws.laplace(3000));
    for (std::size_t i = 0; i < 3000; i += 7) gradients.back()[i] *= step % 2 == 0 ? 1e-41f : -0.0f;
  }
  for (auto const& policy : all_policies<float>()) {
    check_conservation(policy, gradients, 3000);
    check_conservation(policy, gradients, 20);
  }
}

TEST_CASE("the same for gradients of 16 and of 64 bits") {
  Draws draws(12);
  std::vector<std::vector<weir::half>> halves;
  std::vector<std::vector<weir::bfloat16>> brains;
  std::vector<std::vector<double>> doubles;
  for (int step = 0; step < 8; ++step) {
    std::vector<float> const values = draws.laplace(2000);
    halves.emplace_back();
    brains.emplace_back();
    doubles.emplace_back();
    for (float const value : values) {
      halves.back().emplace_back(value);
      brains.back().emplace_back(value);
      doubles.back().push_back(static_cast<double>(value) / 3.0);
    }
  }
  for (auto const& policy : all_policies<weir::half>()) check_conservation(policy, halves, 2000);
  for (auto const& policy : all_policies<weir::bfloat16>()) check_conservation(policy, brains, 2000);
  for (auto const& policy : all_policies<double>()) check_conservation(policy, doubles, 2000);
}

TEST_CASE("over a thousand steps of integers the sum of what was sent and of what stays is exact") {
  weir::HostExecutor const executor;
  std::size_t const size = 64;
  SparseBucket<float> bucket(executor, size, {.density = 0.05, .feedback = true});
  Draws draws(13);
  std::vector<double> given(size, 0.0);
  std::vector<double> sent(size, 0.0);
  for (int step = 0; step < 1000; ++step) {
    std::vector<float> gradient(size);
    for (std::size_t i = 0; i < size; ++i) {
      gradient[i] = static_cast<float>(static_cast<int>(draws.engine()() % 21) - 10);
      given[i] += static_cast<double>(gradient[i]);
    }
    bucket.step(gradient, weir::Histogram{});
    auto const indices = bucket.indices();
    for (std::size_t j = 0; j < indices.size(); ++j) {
      sent[indices[j]] += static_cast<double>(bucket.values()[j]);
    }
  }
  for (std::size_t i = 0; i < size; ++i)
    CHECK(sent[i] + static_cast<double>(bucket.residual()[i]) == given[i]);
}

TEST_CASE("worked examples of feedback and momentum correction") {
  weir::HostExecutor const executor;
  std::vector<float> const gradient = {4.0f, -3.0f, 1.0f, 0.5f};
  auto const run = [&](SparseBucket<float>& bucket) {
    std::vector<float> sent;
    for (int step = 0; step < 4; ++step) {
      bucket.step(gradient, weir::ExactTopK{});
      sent.push_back(bucket.values().at(0));
      CHECK(bucket.indices() == std::vector<std::uint32_t>{step % 2 == 0 ? 0u : 1u});
    }
    return sent;
  };
  SparseBucket<float> plain(executor, 4, {.density = 0.25, .feedback = true});
  CHECK(run(plain) == std::vector<float>{4.0f, -6.0f, 8.0f, -6.0f});
  CHECK(plain.residual() == std::vector<float>{4.0f, 0.0f, 4.0f, 2.0f});

  SparseBucketOptions options{.density = 0.25, .feedback = true, .momentum = true};
  options.constants.momentum = 0.5;
  SparseBucket<float> momentum(executor, 4, options);
  CHECK(run(momentum) == std::vector<float>{4.0f, -7.5f, 10.0f, -7.5f});
  CHECK(momentum.momentum() == std::vector<float>{4.0f, 0.0f, 1.875f, 0.9375f});
  CHECK(momentum.residual() == std::vector<float>{4.0f, 0.0f, 6.125f, 3.0625f});

  options.constants.nesterov = true;
  SparseBucket<float> nesterov(executor, 4, options);
  CHECK(run(nesterov) == std::vector<float>{6.0f, -9.75f, 13.0f, -9.75f});
  CHECK(nesterov.momentum() == std::vector<float>{2.0f, 0.0f, 0.9375f, 0.46875f});
  CHECK(nesterov.residual() == std::vector<float>{6.0f, 0.0f, 7.0625f, 3.53125f});
}

TEST_CASE("momentum correction that sends everything is momentum") {
  weir::HostExecutor const executor;
  for (bool const nesterov : {false, true}) {
    SparseBucketOptions options{.density = 1.0, .feedback = true, .momentum = true};
    options.constants.momentum = 0.9;
    options.constants.nesterov = nesterov;
    options.constants.masks_momentum = false;
    std::size_t const size = 50;
    SparseBucket<float> bucket(executor, size, options);
    std::vector<float> velocity(size, 0.0f);
    Draws draws(14);
    for (int step = 0; step < 100; ++step) {
      std::vector<float> const gradient = draws.laplace(size);
      bucket.step(gradient, weir::ExactTopK{});
      CHECK(bucket.indices().size() == size);
      for (std::size_t i = 0; i < size; ++i) {
        velocity[i] = static_cast<float>(0.9f * velocity[i]) + gradient[i];
        float const look_ahead = 0.9f * velocity[i];
        CHECK(bucket.values()[i] == (nesterov ? look_ahead + gradient[i] : velocity[i]));
      }
    }
  }
}

TEST_CASE("masking clears the momentum of exactly the sent slots") {
  weir::HostExecutor const executor;
  SparseBucketOptions options{.density = 0.1, .feedback = true, .momentum = true};
  options.constants.momentum = 0.5;
  SparseBucket<float> bucket(executor, 500, options);
  Draws draws(15);
  for (int step = 0; step < 5; ++step) {
    bucket.step(draws.laplace(500), weir::Histogram{});
    std::vector<bool> is_sent(500, false);
    for (auto const index : bucket.indices()) is_sent[index] = true;
    for (std::size_t i = 0; i < 500; ++i) CHECK((bits(bucket.momentum()[i]) == 0) == is_sent[i]);
  }
}

TEST_CASE("factors of residual and gradient, and the scale that is still to be applied") {
  weir::HostExecutor const executor;
  SparseBucketOptions options{.density = 0.25, .feedback = true};
  options.constants.beta = 0.5;
  options.constants.gamma = 2.0;
  SparseBucket<float> bucket(executor, 4, options);
  weir::GradientControl const control{.factor = 0.25};
  std::vector<float> const gradient = {8.0f, 4.0f, 2.0f, 1.0f};
  bucket.step(gradient, weir::ExactTopK{}, {4.0, &control});  // 2 times in all
  CHECK(bucket.values() == std::vector<float>{16.0f});
  CHECK(bucket.residual() == std::vector<float>{0.0f, 8.0f, 4.0f, 2.0f});
  bucket.step(gradient, weir::ExactTopK{}, {4.0, &control});
  CHECK(bucket.residual() == std::vector<float>{0.0f, 12.0f, 6.0f, 3.0f});

  weir::GradientControl const stop{.factor = 0.25, .skip = 1};
  bucket.step(gradient, weir::ExactTopK{}, {4.0, &stop});
  CHECK(bucket.counts.count == 0);
  CHECK(bucket.last().status == weir::SparsifyStatus::skipped);
  CHECK(bucket.residual() == std::vector<float>{0.0f, 12.0f, 6.0f, 3.0f});
}

TEST_CASE("the gradient may be a pending sum") {
  weir::HostExecutor const executor;
  std::vector<float> const one = {1.0f, -2.0f, 3.0f};
  std::vector<float> const other = {10.0f, 20.0f, -30.0f};
  weir::WeightedTerm<float, weir::HostSpace> const terms[] = {{weir::view(one), 1.0},
                                                              {weir::view(other), 0.5}};
  SparseBucket<float> bucket(executor, 3, {.density = 0.34, .feedback = true});
  bucket.step(std::span(terms), weir::Histogram{});
  CHECK(bucket.indices() == std::vector<std::uint32_t>{2});
  CHECK(bucket.values() == std::vector<float>{-12.0f});
  CHECK(bucket.residual() == std::vector<float>{6.0f, 8.0f, 0.0f});
}

TEST_CASE("values sent in 16 bits leave their rounding error, and saturate") {
  weir::HostExecutor const executor;
  for (auto const precision : {weir::ElementType::float16, weir::ElementType::bfloat16}) {
    SparseBucketOptions options{.density = 0.1, .feedback = true};
    options.constants.rounds_values = true;
    options.constants.precision = precision;
    SparseBucket<float> bucket(executor, 1000, options);
    Draws draws(16);
    for (int step = 0; step < 4; ++step) {
      std::vector<float> const before = bucket.residual();
      std::vector<float> const gradient = draws.laplace(1000);
      bucket.step(gradient, weir::Histogram{});
      auto const indices = bucket.indices();
      for (std::size_t j = 0; j < indices.size(); ++j) {
        float const sent = bucket.values()[j];
        float const accumulated = gradient[indices[j]] + before[indices[j]];
        CHECK(sent == (precision == weir::ElementType::float16 ? float(weir::half(accumulated))
                                                               : float(weir::bfloat16(accumulated))));
        CHECK(static_cast<double>(sent) + static_cast<double>(bucket.residual()[indices[j]]) ==
              static_cast<double>(accumulated));
      }
    }
  }
  SparseBucketOptions options{.density = 0.5, .feedback = true};
  options.constants.rounds_values = true;
  SparseBucket<float> bucket(executor, 2, options);
  bucket.step({-70000.0f, 1.0f}, weir::Histogram{});
  CHECK(bucket.values() == std::vector<float>{-65504.0f});
  CHECK(bucket.residual() == std::vector<float>{-4496.0f, 1.0f});
}

TEST_CASE("a memory of differences gains what is sent") {
  weir::HostExecutor const executor;
  SparseBucketOptions options{.density = 0.25, .feedback = true};
  options.constants.feedback = weir::FeedbackKind::differences;
  SparseBucket<float> bucket(executor, 4, options);
  std::vector<float> const gradient = {4.0f, -3.0f, 1.0f, 0.5f};
  bucket.step(gradient, weir::ExactTopK{});
  CHECK(bucket.residual() == std::vector<float>{4.0f, 0.0f, 0.0f, 0.0f});
  bucket.step(gradient, weir::ExactTopK{});
  CHECK(bucket.values() == std::vector<float>{-3.0f});
  CHECK(bucket.residual() == std::vector<float>{4.0f, -3.0f, 0.0f, 0.0f});
  bucket.step({5.0f, -3.0f, 1.0f, 8.0f}, weir::ExactTopK{});
  CHECK(bucket.residual() == std::vector<float>{4.0f, -3.0f, 0.0f, 8.0f});
}
