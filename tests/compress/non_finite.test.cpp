#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "support/sparse_bucket.hpp"
#include "weir/compress/threshold/everything.hpp"
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

namespace {

using weir::NonFinitePolicy;
using weir_test::Draws;
using weir_test::SparseBucket;
using weir_test::SparseBucketOptions;
using Indices = std::vector<std::uint32_t>;

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

bool same_bits(std::vector<float> const& one, std::vector<float> const& other) {
  return one.size() == other.size() &&
         (one.empty() || std::memcmp(one.data(), other.data(), one.size() * sizeof(float)) == 0);
}

SparseBucketOptions with(NonFinitePolicy policy, double density, std::size_t capacity = 1000000) {
  SparseBucketOptions options{.density = density, .feedback = true, .capacity = capacity};
  options.constants.non_finite = policy;
  return options;
}

struct AnyPolicy {
  char const* name;
  void (*step)(SparseBucket<float>& bucket, std::vector<float> const& gradient);
};

template <class... Policy>
std::vector<AnyPolicy> list_of() {
  return {{Policy::name, [](auto& bucket, auto const& gradient) { bucket.step(gradient, Policy{}); }}...};
}

}  // namespace

TEST_CASE("a step with a NaN or an infinity is skipped: nothing is sent, nothing has moved") {
  weir::HostExecutor const executor;
  for (auto const policy : {NonFinitePolicy::skip, NonFinitePolicy::error}) {
    SparseBucketOptions options = with(policy, 0.1);
    options.momentum = true;
    options.constants.momentum = 0.5;
    options.constants.stages.count = weir::StageCount::adaptive;
    SparseBucket<float> bucket(executor, 300, options);
    Draws draws(21);
    for (int step = 0; step < 7; ++step) bucket.step(draws.laplace(300), weir::GeneralizedPareto{});
    auto const state = bucket.state;
    std::vector<float> const residual = bucket.residual();
    std::vector<float> const momentum = bucket.momentum();
    for (float const bad : {not_a_number, infinite, -infinite}) {
      std::vector<float> gradient = draws.laplace(300);
      gradient[299] = bad;
      bucket.step(gradient, weir::GeneralizedPareto{});
      CHECK(bucket.counts.count == 0);
      CHECK(bucket.counts.wanted == 0);
      CHECK(bucket.last().non_finite == 1);
      CHECK(bucket.last().status ==
            (policy == NonFinitePolicy::skip ? weir::SparsifyStatus::skipped : weir::SparsifyStatus::failed));
      CHECK(bucket.last().has_threshold == 0);
    }
    CHECK(bucket.state.non_finite_steps == 3);
    CHECK(bucket.state.step == state.step);
    CHECK(bucket.state.adaptation.window_calls == state.adaptation.window_calls);
    CHECK(bucket.state.adaptation.window_sum == state.adaptation.window_sum);
    CHECK(same_bits(bucket.residual(), residual));
    CHECK(same_bits(bucket.momentum(), momentum));
  }
}

TEST_CASE("the sum of finite numbers may overflow") {
  weir::HostExecutor const executor;
  SparseBucket<float> bucket(executor, 4, with(NonFinitePolicy::skip, 0.25));
  bucket.step({1.0f, 3e38f, 2.9e38f, 0.0f}, weir::ExactTopK{});
  CHECK(bucket.residual() == std::vector<float>{1.0f, 0.0f, 2.9e38f, 0.0f});
  bucket.step({1.0f, 1.0f, 2.9e38f, 0.0f}, weir::ExactTopK{});
  CHECK(bucket.last().status == weir::SparsifyStatus::skipped);
  CHECK(bucket.residual() == std::vector<float>{1.0f, 0.0f, 2.9e38f, 0.0f});
}

TEST_CASE("propagated: what is not finite is sent, the rest competes for what is left of k") {
  weir::HostExecutor const executor;
  SparseBucket<float> bucket(executor, 10, with(NonFinitePolicy::propagate, 0.4));
  bucket.step({1.0f, not_a_number, 5.0f, -infinite, 4.0f, 0.5f, -6.0f, 0.0f, 3.0f, 2.0f}, weir::ExactTopK{});
  CHECK(bucket.indices() == Indices{1, 2, 3, 6});
  CHECK(std::isnan(bucket.values()[0]));
  CHECK(bucket.values()[2] == -infinite);
  CHECK(bucket.last().threshold == 5.0);
  CHECK(bucket.last().k_target == 4);
  CHECK(bucket.last().k_selected == 4);
  CHECK(bucket.residual() == std::vector<float>{1.0f, 0.0f, 0.0f, 0.0f, 4.0f, 0.5f, 0.0f, 0.0f, 3.0f, 2.0f});
}

TEST_CASE("propagated: more that is not finite than k, and than the capacity") {
  weir::HostExecutor const executor;
  std::vector<float> const gradient = {1.0f,     not_a_number, 5.0f,         -infinite, 4.0f,
                                       infinite, -6.0f,        not_a_number, 3.0f,      2.0f};
  SparseBucket<float> wide(executor, 10, with(NonFinitePolicy::propagate, 0.2));
  wide.step(gradient, weir::Histogram{});
  CHECK(wide.indices() == Indices{1, 3, 5, 7});
  CHECK(wide.last().threshold == 0.0);
  SparseBucket<float> narrow(executor, 10, with(NonFinitePolicy::propagate, 0.2, 3));
  narrow.step(gradient, weir::Histogram{});
  CHECK(narrow.indices() == Indices{1, 3, 5});
  CHECK(narrow.last().overflow == 1);
  CHECK(narrow.residual() == std::vector<float>{1.0f, 0.0f, 5.0f, 0.0f, 4.0f, 0.0f, -6.0f, 0.0f, 3.0f, 2.0f});
  SparseBucket<float> mixed(executor, 10, with(NonFinitePolicy::propagate, 0.7, 5));
  mixed.step(gradient, weir::Histogram{});  // four, and the largest of three
  CHECK(mixed.indices() == Indices{1, 3, 5, 6, 7});
  CHECK(mixed.last().overflow == 2);
}

TEST_CASE("propagated: statistics are of the finite elements, and nothing else stays behind") {
  weir::HostExecutor const executor;
  Draws draws(22);
  std::vector<float> clean = draws.laplace(5000);
  for (std::size_t i = 0; i < 5000; i += 50) clean[i] = 0.0f;
  std::vector<float> dirty = clean;
  for (std::size_t i = 0; i < 5000; i += 50) dirty[i] = i % 100 == 0 ? not_a_number : infinite;
  SparseBucket<float> one(executor, 5000, with(NonFinitePolicy::propagate, 0.03));
  SparseBucket<float> other(executor, 5000, with(NonFinitePolicy::propagate, 0.05));
  one.step(clean, weir::GeneralizedPareto{});
  other.step(dirty, weir::GeneralizedPareto{});  // 100 of 250 slots are not finite
  CHECK(one.last().threshold == other.last().threshold);
  CHECK(other.last().k_selected == one.last().k_selected + 100);
  for (float const value : other.residual()) CHECK(std::isfinite(value));
}

TEST_CASE("propagated: random slots stay the same, what they do not meet is cleared") {
  weir::HostExecutor const executor;
  std::vector<float> gradient(40, 1.0f);
  SparseBucket<float> clean(executor, 40, with(NonFinitePolicy::propagate, 0.2));
  clean.step(gradient, weir::RandomK{});
  for (std::size_t i = 0; i < 40; i += 2) gradient[i] = not_a_number;
  SparseBucket<float> dirty(executor, 40, with(NonFinitePolicy::propagate, 0.2));
  dirty.step(gradient, weir::RandomK{});
  CHECK(clean.indices() == dirty.indices());
  for (float const value : dirty.residual()) CHECK(std::isfinite(value));

  SparseBucket<float> skipping(executor, 40, with(NonFinitePolicy::skip, 0.2));
  skipping.step(gradient, weir::RandomK{});  // the others still meet at the same slots
  CHECK(skipping.indices() == clean.indices());
  CHECK(skipping.values() == std::vector<float>(8, 0.0f));
  CHECK(skipping.last().status == weir::SparsifyStatus::skipped);
  CHECK(skipping.residual() == std::vector<float>(40, 0.0f));
}

TEST_CASE("propagated: both sides of the residual may be the same memory") {
  weir::HostExecutor const executor;
  Draws draws(23);
  SparseBucket<float> two(executor, 1000, with(NonFinitePolicy::propagate, 0.05));
  SparseBucket<float> one(executor, 1000, with(NonFinitePolicy::propagate, 0.05));
  std::vector<float> residual(1000, 0.0f);
  for (int step = 0; step < 5; ++step) {
    std::vector<float> const gradient = draws.laplace(1000);
    two.step(gradient, weir::Histogram{});
    weir::WeightedTerm<float, weir::HostSpace> const term{weir::view(gradient), 1.0};
    auto work = one.describe(std::span(&term, 1));
    work.residual = {residual.data(), residual.data(), residual.size(), &one.state.side};
    weir::sparsify(executor, work, weir::Histogram{});
    executor.synchronize();
    CHECK(one.indices() == two.indices());
    CHECK(same_bits(residual, two.residual()));
  }
}

TEST_CASE("propagated: no policy keeps anything that is not finite, whatever there is room for") {
  weir::HostExecutor const executor;
  auto const policies =
      list_of<weir::Histogram, weir::ExactTopK, weir::Exponential, weir::GeneralizedPareto, weir::Gamma,
              weir::GammaApproximate, weir::GammaPareto, weir::Normal, weir::SampledTopK, weir::RedSync,
              weir::RedSyncTrim, weir::GaussianK, weir::RandomK, weir::Everything>();
  for (auto const& policy : policies) {
    CAPTURE(std::string(policy.name));
    for (std::size_t const capacity : {0u, 7u, 400u, 4000u}) {
      CAPTURE(capacity);
      SparseBucketOptions options = with(NonFinitePolicy::propagate, 0.05, capacity);
      options.momentum = true;
      options.constants.momentum = 0.5;
      SparseBucket<float> bucket(executor, 4000, options);
      Draws draws(24);
      for (int step = 0; step < 4; ++step) {
        std::vector<float> gradient = draws.laplace(4000);
        std::size_t const stride = step == 2 ? 4001 : 91;  // a step of finite numbers between
        for (std::size_t i = 0; i < 4000; i += stride)
          gradient[i] = step == 2 ? 1.0f : i % 3 == 0 ? not_a_number : i % 3 == 1 ? infinite : -infinite;
        policy.step(bucket, gradient);
        bool is_finite = true;
        for (float const value : bucket.residual()) is_finite &= std::isfinite(value);
        for (float const value : bucket.momentum()) is_finite &= std::isfinite(value);
        CHECK(is_finite);
        CHECK(bucket.last().non_finite == (step == 2 ? 0 : 44));
      }
    }
  }
}
