#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "fault/sanitizers.hpp"
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

using weir_test::Draws;
using weir_test::SparseBucket;
using weir_test::SparseBucketOptions;
using Indices = std::vector<std::uint32_t>;

template <class Real>
struct AnyPolicy {
  char const* name;
  void (*step)(SparseBucket<Real>& bucket, std::vector<Real> const& values);
};

template <class Policy, class Real>
bool is(AnyPolicy<Real> const& policy) {
  return std::string(policy.name) == Policy::name;
}

template <class Real, class... Policy>
std::vector<AnyPolicy<Real>> list_of() {
  return {{Policy::name, [](auto& bucket, auto const& values) { bucket.step(values, Policy{}); }}...};
}

/// All that select by magnitude.
template <class Real = float>
std::vector<AnyPolicy<Real>> policies() {
  return list_of<Real, weir::Histogram, weir::ExactTopK, weir::Exponential, weir::GeneralizedPareto,
                 weir::Gamma, weir::GammaApproximate, weir::GammaPareto, weir::Normal, weir::SampledTopK,
                 weir::RedSync, weir::RedSyncTrim, weir::GaussianK>();
}

/// Those that may be at an exact search in the end. All others send what exceeds their threshold.
bool takes_ties(AnyPolicy<float> const& policy) {
  return is<weir::ExactTopK>(policy) || is<weir::Histogram>(policy) || is<weir::SampledTopK>(policy);
}

/// All slots by falling magnitude, then rising index: those that are sent first come first.
template <class Real>
Indices in_order(std::vector<Real> const& values) {
  Indices order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](auto one, auto other) { return std::fabs(values[one]) > std::fabs(values[other]); });
  return order;
}

template <class Real>
Indices largest(std::vector<Real> const& values, std::size_t count) {
  Indices order = in_order(values);
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

TEST_CASE("zeros are never sent, and what is not more than k is sent whole") {
  weir::HostExecutor const executor;
  for (auto const& policy : policies()) {
    CAPTURE(std::string(policy.name));
    std::vector<float> values(1000, 0.0f);
    SparseBucket<float> none(executor, values.size(), {.density = 1.0});
    policy.step(none, values);
    CHECK(none.last().k_selected == 0);
    CHECK(none.last().threshold == 0.0);
    CHECK(none.last().stages == 1);

    values[7] = -0.0f;
    values[30] = -2.0f;
    values[990] = 1e-42f;
    SparseBucket<float> some(executor, values.size(), {.density = 0.003});
    policy.step(some, values);
    CHECK(some.indices() == Indices{30, 990});
    CHECK(some.values() == std::vector<float>{-2.0f, 1e-42f});
    CHECK(some.last().threshold == 0.0);
    CHECK(some.last().k_target == 3);
  }
}

TEST_CASE("of equal magnitudes the first k are sent") {
  weir::HostExecutor const executor;
  for (auto const& policy : policies()) {
    CAPTURE(std::string(policy.name));
    std::vector<float> values(1000, 0.0f);
    for (std::size_t i = 100; i < 900; ++i) values[i] = i % 3 == 0 ? -0.7f : 0.7f;
    SparseBucket<float> bucket(executor, values.size(), {.density = 0.004});
    policy.step(bucket, values);
    CHECK(bucket.indices() == Indices{100, 101, 102, 103});
    CHECK(bucket.last().threshold == static_cast<double>(0.7f));
  }
}

TEST_CASE("one huge element among ordinary ones is sent, and breaks neither threshold nor residual") {
  weir::HostExecutor const executor;
  constexpr std::size_t size = 20000, place = 7777;
  Draws draws(16);
  std::vector<float> const ordinary = draws.laplace(size);
  std::vector<float> const later = draws.laplace(size);
  for (float const spike : {1e4f, -1e30f, std::numeric_limits<float>::max()}) {
    std::vector<float> values = ordinary;
    values[place] = spike;
    for (auto const& policy : policies()) {
      CAPTURE(std::string(policy.name));
      CAPTURE(spike);
      SparseBucket<float> bucket(executor, size, {.density = 0.01, .feedback = true});
      policy.step(bucket, values);
      Indices const indices = bucket.indices();
      double const threshold = bucket.last().threshold;
      REQUIRE(!indices.empty());
      CHECK(threshold >= 0.0);
      CHECK(threshold <= static_cast<double>(std::fabs(spike)));
      CHECK(std::binary_search(indices.begin(), indices.end(), std::uint32_t{place}));
      CHECK(indices == largest(values, indices.size()));
      if (is<weir::ExactTopK>(policy)) CHECK(indices.size() == 200);
      if (is<weir::Histogram>(policy)) CHECK(std::fabs(bucket.last().quality - 1.0) <= 0.01);
      if (is<weir::SampledTopK>(policy)) CHECK(std::fabs(bucket.last().quality - 1.0) <= 1.0 / 3);
      std::vector<float> sum = bucket.residual();
      for (std::size_t i = 0; i < indices.size(); ++i) sum[indices[i]] += bucket.values()[i];
      CHECK(sum == values);
      policy.step(bucket, later);  // it is behind
      CHECK(bucket.last().threshold < 1e4);
      CHECK(bucket.last().k_selected >= 1);
    }
  }
}

TEST_CASE("at least one slot is sent: the first of the largest magnitude") {
  weir::HostExecutor const executor;
  std::vector<float> values(256, 1.0f);
  values[77] = -1.25f;
  values[78] = 1.25f;
  SparseBucket<float> bucket(executor, values.size(), {.density = 0.001});
  bucket.step(values, weir::Exponential{});
  CHECK(bucket.indices() == Indices{77});
  CHECK(bucket.last().threshold == 1.25);
  CHECK(bucket.last().k_target == 1);
}

TEST_CASE("buckets of odd sizes, and of one element") {
  weir::HostExecutor const executor;
  Draws draws(5);
  for (std::size_t const size :
       {0u, 1u, 2u, 3u, 31u, 33u, 4095u, 4096u, 4097u, 70001u, (1u << 20) - 1, 1u << 20, (1u << 20) + 1}) {
    if (UNDER_THREAD_SANITIZER && size > 100'000) continue;  // which is slow
    std::vector<float> const values = draws.laplace(size);
    Indices const order = in_order(values);
    auto const check_top_k = [&](SparseBucket<float> const& bucket) {
      Indices expected(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(bucket.last().k_target));
      std::sort(expected.begin(), expected.end());
      CHECK(bucket.indices() == expected);
    };
    for (auto const& policy : policies()) {
      CAPTURE(std::string(policy.name));
      CAPTURE(size);
      SparseBucket<float> bucket(executor, size, {.density = 0.1, .feedback = true});
      policy.step(bucket, values);
      CHECK(bucket.last().k_target == (size == 0 ? 0 : std::max<std::size_t>(1, size / 10)));
      CHECK((size == 0 || bucket.last().k_selected >= 1));
      CHECK(bucket.last().k_selected <= size);
      if (is<weir::ExactTopK>(policy)) check_top_k(bucket);
      if (size > 1000 && is<weir::Histogram>(policy)) CHECK(std::fabs(bucket.last().quality - 1.0) <= 0.01);
    }
  }
}

TEST_CASE("the selected set is what exceeds the threshold") {
  weir::HostExecutor const executor;
  Draws draws(6);
  std::vector<std::vector<float>> const data = {draws.laplace(20000), draws.pareto(20000, 0.3),
                                                draws.uniform(20000), draws.quantised(20000, 10000)};
  for (auto const& values : data) {
    for (auto const& policy : policies()) {
      CAPTURE(std::string(policy.name));
      for (double const density : {0.3, 0.01}) {
        SparseBucket<float> bucket(executor, values.size(), {.density = density});
        policy.step(bucket, values);
        double const threshold = bucket.last().threshold;
        std::size_t above = 0;
        std::size_t equal = 0;
        for (float const value : values) {
          above += std::fabs(value) > threshold;
          equal += std::fabs(value) == threshold;
        }
        REQUIRE(bucket.indices().size() >= above);
        std::size_t const ties = bucket.indices().size() - above;
        CHECK(ties <= equal);
        if (takes_ties(policy)) {  // as many as k leaves over
          CHECK((ties == 0 || above + ties == bucket.last().k_target));
        } else {  // only the one slot that is always sent
          CHECK(ties == (above == 0 ? 1 : 0));
        }
        CHECK(bucket.indices() == largest(values, above + ties));
        std::vector<float> expected;
        for (auto const index : bucket.indices()) expected.push_back(values[index]);
        CHECK(bucket.values() == expected);
      }
    }
  }
}

TEST_CASE("what equals a threshold that was not searched exactly is not sent") {
  weir::HostExecutor const executor;
  Draws draws(17);
  std::vector<float> const drawn = draws.laplace(20000);
  for (auto const& policy : policies()) {
    if (takes_ties(policy)) continue;
    CAPTURE(std::string(policy.name));
    std::vector<float> values = drawn;
    double threshold = 0.0;
    for (int round = 0; round < 10; ++round) {  // two of so many elements hardly move what is fitted to all
      SparseBucket<float> bucket(executor, values.size(), {.density = 0.01});
      policy.step(bucket, values);
      bool const is_found = bucket.last().threshold == threshold;
      threshold = bucket.last().threshold;
      if (is_found) {
        auto const above = [&](float value) { return std::fabs(value) > threshold; };
        auto const count = static_cast<std::size_t>(std::count_if(values.begin(), values.end(), above));
        CHECK(count > 0);
        CHECK(bucket.indices() == largest(values, count));
        break;
      }
      REQUIRE(round < 9);
      values.front() = static_cast<float>(threshold);
      values.back() = -static_cast<float>(threshold);
    }
  }
}

TEST_CASE("exact top-k is a stable sort's beginning, with and without ties") {
  weir::HostExecutor const executor;
  Draws draws(7);
  for (int round = 0; round < 200; ++round) {
    std::size_t const size = 1 + draws.engine()() % 3000;
    std::size_t const k = 1 + draws.engine()() % size;
    std::vector<float> values = round % 2 == 0 ? draws.laplace(size) : draws.quantised(size, 1 + round % 7);
    std::size_t const non_zero =
        size - static_cast<std::size_t>(std::count(values.begin(), values.end(), 0.0f));
    CAPTURE(round);
    double const density = (static_cast<double>(k) + 0.5) / static_cast<double>(size);
    SparseBucket<float> single(executor, size, {.density = std::min(1.0, density)});
    single.step(values, weir::ExactTopK{});
    CHECK(single.indices() == largest(values, std::min(k, non_zero)));
  }
}

TEST_CASE("never more than the capacity, and exactly the first of the order if there is not enough") {
  weir::HostExecutor const executor;
  Draws draws(8);
  std::vector<float> two_valued(5000);
  for (std::size_t i = 0; i < two_valued.size(); ++i) two_valued[i] = i % 10 == 3 ? -2.0f : 1.0f;
  std::vector<float> ties = draws.laplace(5000);
  for (std::size_t i = 0; i < ties.size(); ++i) {
    if (i % 100 != 0) ties[i] = 0.5f;
  }
  std::vector<std::vector<float>> const data = {std::vector<float>(5000, 3.0f), two_valued, ties,
                                                draws.pareto(5000, 0.4)};
  for (auto const& values : data) {
    for (auto const& policy : policies()) {
      CAPTURE(std::string(policy.name));
      SparseBucket<float> free(executor, values.size(), {.density = 0.02});
      policy.step(free, values);
      for (std::size_t const capacity : {0u, 1u, 40u, 100u, 150u, 4999u}) {
        CAPTURE(capacity);
        SparseBucket<float> bucket(executor, values.size(),
                                   {.density = 0.02, .feedback = true, .capacity = capacity});
        policy.step(bucket, values);
        if (free.indices().size() <= capacity) {
          CHECK(bucket.indices() == free.indices());
          CHECK(bucket.last().overflow == 0);
        } else {
          CHECK(bucket.indices() == largest(values, std::min<std::size_t>(capacity, 100)));
          CHECK(bucket.last().overflow == free.indices().size() - bucket.indices().size());
        }
        CHECK(bucket.counts.count == bucket.indices().size());
        CHECK(bucket.counts.wanted == free.indices().size());
      }
    }
  }
}

TEST_CASE("scaling by a power of two selects the same set") {
  weir::HostExecutor const executor;
  Draws draws(9);
  std::vector<float> const values = draws.lognormal(30000, 1.5);
  for (auto const& policy :
       list_of<float, weir::Histogram, weir::ExactTopK, weir::Exponential, weir::GeneralizedPareto>()) {
    CAPTURE(std::string(policy.name));
    for (std::uint32_t const stages : {1u, 3u}) {
      SparseBucketOptions options{.density = 0.01};
      options.constants.stages.stages = stages;
      SparseBucket<float> bucket(executor, values.size(), options);
      policy.step(bucket, values);
      for (float const scale : {0x1p-80f, 0x1p100f}) {
        std::vector<float> scaled = values;
        for (float& value : scaled) value *= scale;
        SparseBucket<float> other(executor, values.size(), options);
        policy.step(other, scaled);
        CHECK(other.indices() == bucket.indices());
        CHECK(other.last().threshold == bucket.last().threshold * static_cast<double>(scale));
      }
    }
  }
}

TEST_CASE("random slots: distinct, the same for the same key, zeros too, with an unbiased factor") {
  weir::HostExecutor const executor;
  std::vector<float> values(1003);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? 0.0f : static_cast<float>(i);
  SparseBucket<float> one(executor, values.size(), {.density = 0.1});
  SparseBucket<float> other(executor, values.size(), {.density = 0.1});
  one.step(values, weir::RandomK{});
  other.step(values, weir::RandomK{.is_unbiased = true});
  CHECK(one.last().k_selected == 100);
  CHECK(one.last().has_threshold == 0);
  CHECK(one.indices() == other.indices());
  Indices const indices = one.indices();
  CHECK(std::is_sorted(indices.begin(), indices.end()));
  CHECK(std::adjacent_find(indices.begin(), indices.end()) == indices.end());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    CHECK(one.values()[i] == values[indices[i]]);
    CHECK(other.values()[i] == values[indices[i]] * 10.03f);
  }
  one.step(values, weir::RandomK{});
  CHECK(one.indices() != indices);
  SparseBucket<float> all(executor, values.size(), {.density = 1.0});
  all.step(values, weir::RandomK{});
  CHECK(all.last().k_selected == values.size());
}

TEST_CASE("where there is less room, fewer random slots: the same whatever the values, and still unbiased") {
  weir::HostExecutor const executor;
  std::size_t const size = 1003;
  std::vector<float> const values = weir_test::Draws(1).laplace(size);
  std::vector<float> const others = weir_test::Draws(2).laplace(size);
  SparseBucketOptions const little{.density = 0.1, .capacity = 10};
  SparseBucket<float> one(executor, size, little), other(executor, size, little);
  SparseBucket<float> fewer(executor, size, {.density = 10.5 / static_cast<double>(size)});
  one.step(values, weir::RandomK{.is_unbiased = true});
  other.step(others, weir::RandomK{});
  fewer.step(values, weir::RandomK{.is_unbiased = true});
  CHECK(one.last().k_selected == 10);
  CHECK(one.last().overflow == 90);
  CHECK(other.indices() == one.indices());
  CHECK(fewer.indices() == one.indices());
  CHECK(fewer.values() == one.values());
  CHECK(one.values()[0] == values[one.indices()[0]] * 100.3f);
}

TEST_CASE("everything is what is not zero") {
  weir::HostExecutor const executor;
  std::vector<float> const values = {0.0f, -1.0f, 2.0f, -0.0f, 2.0f};
  SparseBucket<float> bucket(executor, values.size(), {.density = 0.01});
  bucket.step(values, weir::Everything{});
  CHECK(bucket.indices() == Indices{1, 2, 4});
}
