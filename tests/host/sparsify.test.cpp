#include "weir/host/sparsify.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "support/plain_passes.hpp"
#include "support/sparse_bucket.hpp"
#include "weir/exec/sparsifying_backend.hpp"

namespace {

using weir_test::Draws;
using weir_test::SparseBucket;
using weir_test::SparseBucketOptions;

// Policies of one's own, one of each kind.

struct TwiceTheMean {
  static constexpr char const* name = "twice the mean";
  double fit(weir::TailStatistics const& tail, double) const { return 2.0 * tail.mean(); }
};

struct MeanExcess {
  static constexpr char const* name = "mean excess";
  static constexpr bool uses_logarithms = false;
  double fit(weir::TailStatistics const& tail, double ratio) const { return -tail.mean() * weir::ln(ratio); }
  double fit_excess(weir::TailStatistics const& tail, double ratio) const { return fit(tail, ratio); }
};

struct Ranked {
  static constexpr char const* name = "ranked";
  static constexpr bool is_exact = false;
  std::uint64_t tolerance(std::uint64_t k) const { return k / 100; }
};

struct Exact {
  static constexpr char const* name = "exact";
  static constexpr bool is_exact = true;
  std::uint64_t tolerance(std::uint64_t) const { return 0; }
};

struct Sampled {
  static constexpr char const* name = "sampled";
  weir::SampleRequest sample(weir::TrialData const& data) const {
    return {data.size < 1000 ? data.size : 1000, data.size < 1000 ? 1u : 10u};
  }
  weir::TrialVerdict start(weir::TrialData const& data, weir::Trial& trial) const {
    trial.threshold = data.sampled;
    return weir::TrialVerdict::retry;
  }
  weir::TrialVerdict judge(weir::TrialData const& data, weir::Trial& trial, std::uint64_t count) const {
    if (count > 2 * data.k) return weir::TrialVerdict::exact;
    if (count >= data.k / 2 || trial.count == 5) return weir::TrialVerdict::accept;
    trial.threshold *= 0.5;
    return weir::TrialVerdict::retry;
  }
};

struct Random {
  static constexpr char const* name = "random";
  double factor(std::uint64_t, std::uint64_t) const { return 1.0; }
};

/// All that a step leaves behind.
template <class Real>
struct Outcome {
  std::vector<std::uint32_t> indices;
  std::vector<Real> values;
  std::vector<Real> residual;
  std::vector<Real> momentum;
  weir::ThresholdState state;
  weir::SelectionCounts counts;
};

template <class Vector>
bool same_bytes(Vector const& one, Vector const& other) {
  if (one.empty() || other.empty()) return one.size() == other.size();
  return one.size() == other.size() &&
         std::memcmp(one.data(), other.data(), one.size() * sizeof(one[0])) == 0;
}

template <class Real>
bool same(Outcome<Real> const& one, Outcome<Real> const& other) {
  return one.indices == other.indices && same_bytes(one.values, other.values) &&
         same_bytes(one.residual, other.residual) && same_bytes(one.momentum, other.momentum) &&
         std::memcmp(&one.state, &other.state, sizeof one.state) == 0 &&
         std::memcmp(&one.counts, &other.counts, sizeof one.counts) == 0;
}

template <class Real>
using GradientsOf = std::vector<std::vector<Real>>;
using Gradients = GradientsOf<float>;

template <class Policy, class Real, class Step>
std::vector<Outcome<Real>> run(weir::HostExecutor const& executor, SparseBucketOptions const& options,
                               GradientsOf<Real> const& gradients, Step const& step) {
  SparseBucket<Real> bucket(executor, gradients[0].size(), options);
  std::vector<Outcome<Real>> outcomes;
  for (auto const& gradient : gradients) {
    weir::WeightedTerm<Real, weir::HostSpace> const term{weir::view(gradient), 1.0};
    auto const work = bucket.describe(std::span(&term, 1));
    step(work, Policy{});
    executor.synchronize();
    outcomes.push_back(
        {bucket.indices(), bucket.values(), options.feedback ? bucket.residual() : std::vector<Real>{},
         options.momentum ? bucket.momentum() : std::vector<Real>{}, bucket.state, bucket.counts});
  }
  return outcomes;
}

template <class Policy, class Real>
void check(SparseBucketOptions const& options, GradientsOf<Real> const& gradients,
           std::initializer_list<std::size_t> threads) {
  weir::HostExecutor const single;
  auto const expected = run<Policy>(single, options, gradients, [](auto const& work, auto const& policy) {
    weir_test::PlainPasses<Real, Real> passes(work, weir::detail::selection_key(work));
    weir::detail::sparsify_with(passes, work, policy);
  });
  for (std::size_t const count : threads) {
    weir::HostExecutor const executor({.threads = count});
    auto const found = run<Policy>(executor, options, gradients, [&](auto const& work, auto const& policy) {
      weir::sparsify(executor, work, policy);
    });
    for (std::size_t step = 0; step < expected.size(); ++step) {
      CAPTURE(std::string(Policy::name));
      CAPTURE(count);
      CAPTURE(step);
      CHECK(same(found[step], expected[step]));
    }
  }
}

void check_all(SparseBucketOptions const& options, Gradients const& gradients,
               std::initializer_list<std::size_t> threads) {
  check<TwiceTheMean>(options, gradients, threads);
  check<MeanExcess>(options, gradients, threads);
  check<Ranked>(options, gradients, threads);
  check<Exact>(options, gradients, threads);
  check<Sampled>(options, gradients, threads);
  check<Random>(options, gradients, threads);
}

template <class Policy>
void check_wide(SparseBucketOptions const& options, Gradients const& gradients) {
  CAPTURE(std::string(Policy::name));
  weir::HostExecutor const executor({.threads = 2});
  SparseBucket<float> narrow(executor, gradients[0].size(), options);
  SparseBucket<float, float, std::uint64_t> wide(executor, gradients[0].size(), options);
  for (auto const& gradient : gradients) {
    narrow.step(gradient, Policy{});
    wide.step(gradient, Policy{});
    auto const indices = narrow.indices();
    CHECK(!indices.empty());
    CHECK(wide.indices() == std::vector<std::uint64_t>(indices.begin(), indices.end()));
    CHECK(same_bytes(wide.values(), narrow.values()));
    CHECK(same_bytes(wide.residual(), narrow.residual()));
    CHECK(same_bytes(wide.momentum(), narrow.momentum()));
    CHECK(std::memcmp(&wide.state, &narrow.state, sizeof wide.state) == 0);
  }
}

Gradients laplace(std::size_t size, int steps, std::uint64_t seed) {
  Draws draws(seed);
  Gradients gradients;
  for (int step = 0; step < steps; ++step) gradients.push_back(draws.laplace(size));
  return gradients;
}

/// With magnitudes up to about `scale`, and some that are not finite.
template <class Real>
void check_large(Real scale) {
  Real const infinity = std::numeric_limits<Real>::infinity();
  Draws draws(59);
  GradientsOf<Real> gradients;
  for (int step = 0; step < 3; ++step) {
    std::vector<float> const drawn = draws.laplace(std::size_t{1} << 17);
    std::vector<Real> gradient;
    for (float const value : drawn) gradient.push_back(static_cast<Real>(value) * (scale / 16));
    for (std::size_t i = 17; i < gradient.size(); i += 499) {
      if (step != 2) gradient[i] = i % 2 == 0 ? infinity : -std::numeric_limits<Real>::quiet_NaN();
    }
    gradients.push_back(gradient);
  }
  for (bool const feedback : {false, true}) {
    SparseBucketOptions options{.density = 0.01, .feedback = feedback};
    check<Ranked>(options, gradients, {1, 2});  // skips the first steps
    options.constants.non_finite = weir::NonFinitePolicy::propagate;
    check<Ranked>(options, gradients, {1, 2});
    check<Exact>(options, gradients, {1, 2});
  }
}

}  // namespace

TEST_CASE("a step leaves behind what plain loops leave behind, for any number of threads") {
  SparseBucketOptions options{.density = 0.01, .feedback = true};
  for (std::size_t const size : {1u, 65u, 5000u}) check_all(options, laplace(size, 3, 51), {1, 3});
  check_all(options, laplace(300000, 2, 52), {1, 2, 3, 8});
}

TEST_CASE("the same without feedback, with momentum, in 16 bits, with little room, with a reused threshold") {
  check_all({.density = 0.02}, laplace(70000, 2, 53), {2});
  check_all({.density = 0.001, .feedback = true, .capacity = 60}, laplace(70000, 2, 54), {2});
  SparseBucketOptions options{.density = 0.01, .feedback = true, .momentum = true};
  options.constants.momentum = 0.9;
  options.constants.nesterov = true;
  options.constants.rounds_values = true;
  options.constants.precision = weir::ElementType::bfloat16;
  options.constants.reuse = {.interval = 3, .gain = 0.02};
  check_all(options, laplace(70000, 5, 55), {2});
}

TEST_CASE("the same of data that is not random") {
  Gradients gradients;
  Draws draws(56);
  gradients.push_back(draws.quantised(270000, 5));
  gradients.push_back(draws.mixture(270000));
  std::vector<float> ramp(270000);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(i) * (i % 2 == 0 ? 1.0f : -1.0f);
  gradients.push_back(ramp);
  gradients.push_back(std::vector<float>(270000, 0.5f));
  gradients.push_back(std::vector<float>(270000, 0.0f));
  gradients.back()[200000] = 1.0f;
  for (double const density : {0.0001, 0.3}) check<Ranked>({.density = density}, gradients, {2});
  check<Exact>({.density = 0.01}, gradients, {2});
  check<MeanExcess>({.density = 0.01}, gradients, {2});
  SparseBucketOptions options{.density = 0.01, .feedback = true};
  options.constants.non_finite = weir::NonFinitePolicy::propagate;
  for (std::size_t i = 0; i < 270000; i += 900) gradients[1][i] = i % 1800 == 0 ? 1.0f / 0.0f : 0.0f / 0.0f;
  check<Ranked>(options, gradients, {2});
  check<Exact>(options, gradients, {2});
}

TEST_CASE("the same of the largest magnitudes there are beside such that are not finite") {
  check_large(0x1p122f);  // the guard of the first pass is in the last 16 octaves
  check_large(0x1p1018);
}

TEST_CASE("the statistics of a first part, merged from the ranks, decide in the second") {
  weir::HostExecutor const executor;
  Gradients const gradients = laplace(4096, 2, 57);  // a leaf each
  Gradients both(1, gradients[0]);
  both[0].insert(both[0].end(), gradients[1].begin(), gradients[1].end());
  SparseBucket<float> whole(executor, 8192, {.density = 0.03125});
  whole.step(both[0], MeanExcess{});

  weir::TailStatistics tails[2];
  weir::detail::TailNode merged{};
  std::uint64_t selected = 0;
  for (bool const accumulates : {true, false}) {
    for (std::size_t rank = 0; rank < 2; ++rank) {
      SparseBucket<float> bucket(executor, 4096, {.density = 0.03125});
      weir::WeightedTerm<float, weir::HostSpace> const term{weir::view(gradients[rank]), 1.0};
      auto work = bucket.describe(std::span(&term, 1));
      work.accumulator = {};
      work.part = accumulates ? weir::SparsifyPart::accumulate : weir::SparsifyPart::select;
      work.tail = &tails[rank];
      weir::SharedTail const shared{merged.statistics(), 2};
      work.shared_tail = accumulates ? nullptr : &shared;
      weir::sparsify(executor, work, MeanExcess{});
      executor.synchronize();
      if (accumulates) {
        CHECK(bucket.state.step == 0);
        weir::TailStatistics const& tail = tails[rank];
        merged.merge({tail.non_finite, tail.participants, tail.smallest, tail.largest, tail.sum,
                      tail.squared_deviations, tail.sum_of_logarithms});
      } else {
        CHECK(bucket.last().threshold == whole.last().threshold);
        selected += bucket.counts.count;
      }
    }
  }
  CHECK(selected == whole.counts.count);
}

TEST_CASE("with 64-bit indices a step leaves behind the same") {
  SparseBucketOptions const feedback{.density = 0.01, .feedback = true};
  SparseBucketOptions momentum = feedback;
  momentum.momentum = true;
  momentum.constants.momentum = 0.9;
  SparseBucketOptions little = feedback;
  little.capacity = 60;
  for (auto const& options : {feedback, momentum, little, SparseBucketOptions{.density = 0.5}}) {
    auto const gradients = laplace(70000, 3, 58);
    check_wide<MeanExcess>(options, gradients);
    check_wide<Ranked>(options, gradients);
    check_wide<Exact>(options, gradients);
    check_wide<Sampled>(options, gradients);
    check_wide<Random>(options, gradients);
  }
}

TEST_CASE_TEMPLATE("pairs are moved into and out of vectors and valid sides", Index, std::uint32_t,
                   std::uint64_t) {
  weir::HostExecutor const executor;
  std::vector<float> first = {1, 2, 3, 4};
  std::vector<float> second = {10, 20, 30, 40};
  std::uint32_t const side = 1;
  weir::TwoSidedView<float, weir::HostSpace> const sides(first.data(), second.data(), 4, &side);
  std::vector<Index> indices = {0, 3, 99};
  std::vector<float> values = {0.5f, 0.25f, 0.0f};
  std::uint64_t const count = 2;
  std::vector<float> out = {1, 1, 1, 1};
  weir::scatter_add(executor, weir::view(indices), weir::view(values), &count, weir::view(out));
  weir::scatter_add(executor, weir::view(indices), weir::view(values), &count, sides);
  executor.synchronize();
  CHECK(out == std::vector<float>{1.5f, 1.0f, 1.0f, 1.25f});
  CHECK(second == std::vector<float>{10.5f, 20.0f, 30.0f, 40.25f});
  CHECK(first == std::vector<float>{1, 2, 3, 4});
  std::vector<float> const finite_and_not = {std::numeric_limits<float>::quiet_NaN(), 1.0f, 0.0f};
  weir::scatter_add_finite(executor, weir::view(indices), weir::view(finite_and_not), &count, sides);
  executor.synchronize();
  CHECK(second == std::vector<float>{10.5f, 20.0f, 30.0f, 41.25f});

  weir::gather(executor, weir::view(std::as_const(out)), weir::view(indices), &count, weir::view(values));
  executor.synchronize();
  CHECK(values == std::vector<float>{1.5f, 1.25f, 0.0f});
  weir::take_at(executor, sides, weir::view(indices), &count, weir::view(values));
  executor.synchronize();
  CHECK(values == std::vector<float>{10.5f, 41.25f, 0.0f});
  CHECK(second == std::vector<float>{0, 20, 30, 0});

  weir::zero_at(executor, weir::view(indices), &count, weir::view(out));
  weir::copy(executor, weir::view(std::as_const(out)), sides);
  executor.synchronize();
  CHECK(second == std::vector<float>{0, 1, 1, 0});
  std::uint64_t const more_than_there_are = 9;
  std::vector<Index> one_index = {1};
  weir::zero_at(executor, weir::view(one_index), &more_than_there_are, sides);
  executor.synchronize();
  CHECK(second == std::vector<float>{0, 0, 1, 0});

  weir::take_all(executor, sides, weir::view(out));
  executor.synchronize();
  CHECK(out == std::vector<float>{0, 0, 1, 0});
  CHECK(second == std::vector<float>{0, 0, 0, 0});
  weir::copy(executor, weir::view(std::as_const(first)), sides);
  weir::copy(executor, sides, weir::view(out));
  weir::set_zero(executor, sides);
  executor.synchronize();
  CHECK(out == first);
  CHECK(second == std::vector<float>{0, 0, 0, 0});
}

static_assert(weir::SparsifyingBackend<weir::HostExecutor, Ranked>);
static_assert(weir::SparsifyingBackend<weir::HostExecutor, Ranked, weir::half>);
static_assert(!weir::SparsifyingBackend<weir::HostExecutor, Ranked, double, float>);
static_assert(weir::ScatteringBackend<weir::HostExecutor>);
static_assert(weir::ScatteringBackend<weir::HostExecutor, double>);
