#include "weir/host/kernels/selection_passes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "fault/sanitizers.hpp"
#include "host/kernels/selection_oracle.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/core/random.hpp"

namespace {

namespace detail = weir::detail;
using detail::AccumulatedInput;
using detail::GivenInput;
using detail::SelectionPasses;
using selection_oracle::Goal;

template <class Real>
bool same_bits(std::vector<Real> const& one, std::vector<Real> const& other) {
  return one.size() == other.size() &&
         (one.empty() || std::memcmp(one.data(), other.data(), one.size() * sizeof(Real)) == 0);
}

template <class Real>
struct Result {
  double threshold = 0;
  std::uint64_t wanted = 0;
  std::vector<std::uint32_t> indices;
  std::vector<Real> values;
  weir::TailStatistics tail;
};

/// Selects from `size` elements with these passes; slots past the capacity are guarded.
template <class Policy, class Real, class Accumulate>
Result<Real> run_policy(Policy const& policy, std::size_t size, Goal const& goal, std::size_t threads,
                        Real const* values, Accumulate const& accumulate) {
  constexpr std::size_t beyond = 3;
  std::size_t const room = static_cast<std::size_t>(std::min<std::uint64_t>(goal.capacity, size));
  Result<Real> result;
  result.indices.assign(room + beyond, 77);
  result.values.assign(room + beyond, Real{77});
  weir::ThreadTeam team(threads);
  std::vector<std::byte> memory(detail::CandidatePool<Real>::bytes(size, threads), std::byte{0xa5});
  detail::CandidatePool<Real> const pool(memory.data(), size, threads);
  SelectionPasses<Real> passes(team, pool, values, size);
  result.tail = accumulate(passes);

  weir::SparsifyConstants constants;
  constants.non_finite = goal.propagates ? weir::NonFinitePolicy::propagate : weir::NonFinitePolicy::skip;
  weir::ThresholdState state;
  state.density = (static_cast<double>(goal.k) + 0.5) / static_cast<double>(size);
  weir::ThresholdSearch<Policy, Real> search;
  search.start(policy, constants, state, size, room, result.tail, result.tail, 1, false);
  while (search.task != weir::SearchTask::finish) {
    if (search.task == weir::SearchTask::rank) {
      search.resume_rank(passes.rank(search.query, static_cast<Real>(result.tail.largest)));
    } else {
      REQUIRE(search.task == weir::SearchTask::select);
      search.resume_select(policy,
                           passes.select(search.cut, result.indices.data(), result.values.data(), room));
    }
  }
  search.finish(constants, state);
  result.threshold = state.last.threshold;
  REQUIRE(search.counts().count <= room);
  for (std::size_t i = 0; i < beyond; ++i) {
    CHECK(result.indices[room + i] == 77);
    CHECK(result.values[room + i] == Real{77});
  }
  result.wanted = search.counts().wanted;
  result.indices.resize(search.counts().count);
  result.values.resize(search.counts().count);
  return result;
}

template <class Real, class Accumulate>
Result<Real> run(std::size_t size, Goal const& goal, std::size_t threads, Real const* values,
                 Accumulate const& accumulate) {
  return goal.is_exact ? run_policy(weir::ExactTopK{}, size, goal, threads, values, accumulate)
                       : run_policy(weir::Histogram{}, size, goal, threads, values, accumulate);
}

template <class Real>
bool is_expected(Result<Real> const& result, std::vector<Real> const& values,
                 selection_oracle::Expected<Real> const& expected) {
  std::vector<Real> sent;
  for (auto index : expected.indices) sent.push_back(values[index]);
  return result.indices == expected.indices && result.wanted == expected.wanted &&
         same_bits(result.values, sent) &&
         (expected.threshold == std::numeric_limits<Real>::infinity() ||
          result.threshold == static_cast<double>(expected.threshold));
}

/// Holds selections of the largest against the oracle, guarded and not, with several numbers of threads.
template <class Real>
void check_largest(std::vector<Real> const& values, Goal const& goal,
                   std::vector<std::size_t> const& team_sizes = {1, 2, 3}, std::uint64_t number = 1) {
  CAPTURE(values.size());
  CAPTURE(goal.k);
  CAPTURE(goal.is_exact);
  CAPTURE(goal.capacity);
  GivenInput<Real> const input{values.data()};
  auto const expected = selection_oracle::largest(values, goal);
  for (std::size_t threads : team_sizes) {
    CAPTURE(threads);
    CHECK(
        is_expected(run<Real>(values.size(), goal, threads, values.data(),
                              [&](auto& passes) { return passes.accumulate_guarded(input, goal.k, number); }),
                    values, expected));
  }
  CHECK(is_expected(run<Real>(values.size(), goal, 2, values.data(),
                              [&](auto& passes) { return passes.template accumulate<false, false>(input); }),
                    values, expected));
}

template <class Real, class Function>
std::vector<Real> made(std::size_t size, Function const& f) {
  std::vector<Real> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<Real>(f(i));
  return values;
}

/// Independent double-exponential numbers.
template <class Real>
std::vector<Real> laplace(std::size_t size, std::uint64_t seed) {
  weir::RandomStream const stream{.seed = seed};
  return made<Real>(size, [&](std::size_t i) {
    auto const word = stream.word(i);
    return (word & 1u ? 1.0 : -1.0) * -std::log((word + 0.5) * 0x1p-32);
  });
}

template <class Real>
void check_goals(std::vector<Real> const& values, std::vector<double> const& densities = {0.001, 0.01, 0.1}) {
  for (double density : densities) {
    if (UNDER_THREAD_SANITIZER && density != densities[densities.size() / 2]) continue;  // which is slow
    std::uint64_t const k =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(density * static_cast<double>(values.size())));
    for (bool is_exact : {false, true}) check_largest(values, Goal{.k = k, .is_exact = is_exact}, {2});
  }
}

}  // namespace

TEST_CASE("the largest of small vectors are those that sorting finds, with any k, many ties and many zeros") {
  weir::detail::WordSequence words{{.seed = 5}};
  for (int round = 0; round < 40; ++round) {
    std::size_t const size = 1 + words.below(round % 4 == 0 ? 3000 : 70);
    std::uint32_t const distinct = 1 + words.below(30);
    auto const values = made<float>(size, [&](std::size_t) {
      return static_cast<float>(words.below(distinct)) * (words.below(2) == 0 ? 0.25f : -0.25f);
    });
    Goal goal{.k = 1 + words.below(static_cast<std::uint32_t>(size)), .is_exact = round % 2 == 0};
    check_largest(values, goal);
    goal.capacity = 1 + words.below(static_cast<std::uint32_t>(goal.k));
    check_largest(values, goal);
    std::vector<double> const wide(values.begin(), values.end());
    check_largest(wide, goal, {1});
  }
}

TEST_CASE("edges of sizes") {
  for (std::size_t size : {0u, 1u, 2u, 31u, 33u, 63u, 64u, 65u, 65'535u, 65'537u}) {
    auto const values = laplace<float>(size, size);
    for (std::uint64_t k : {std::uint64_t{1}, std::uint64_t{size / 2}, std::uint64_t{size}}) {
      if (k > size || (k == 0 && size != 0)) continue;
      for (bool is_exact : {false, true}) check_largest(values, Goal{.k = k, .is_exact = is_exact}, {1, 2});
    }
  }
}

TEST_CASE("large vectors: independent, scaled, in float and double") {
  std::size_t const size = (std::size_t{1} << 17) + 77;
  auto const values = laplace<float>(size, 1);
  check_goals(values, {0.0001, 0.001, 0.01, 0.1, 0.6, 1.0});
  check_goals(laplace<double>(size, 2), {0.001, 0.1});
  check_goals(made<float>(size, [&](std::size_t i) { return values[i] * 0x1p-80f; }), {0.01});
  check_goals(made<float>(size, [&](std::size_t i) { return values[i] * 0x1p100f; }), {0.01});
  check_goals(made<float>(size, [&](std::size_t i) { return values[i] * 0x1p-140f; }), {0.01});  // denormal
}

TEST_CASE("layouts that mislead a sample are selected from as exactly") {
  std::size_t const size = 70'000;  // two blocks
  auto const values = laplace<float>(size, 3);
  SUBCASE("sorted") {
    auto sorted = values;
    std::sort(sorted.begin(), sorted.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
    check_goals(sorted);
    std::reverse(sorted.begin(), sorted.end());
    check_goals(sorted);
  }
  SUBCASE("periodic") {
    check_goals(
        made<float>(size, [&](std::size_t i) { return i % 16 == 3 ? values[i] : values[i] * 1e-6f; }));
    check_goals(made<float>(size, [&](std::size_t i) { return values[i % 64]; }));
  }
  SUBCASE("clustered") {
    check_goals(
        made<float>(size, [&](std::size_t i) { return i < size / 300 ? values[i] : values[i] * 1e-9f; }));
    check_goals(
        made<float>(size, [&](std::size_t i) { return i / 4096 == 7 ? 1e6f * values[i] : values[i]; }));
  }
  SUBCASE("over more octaves than there are counters for") {
    check_goals(made<float>(size, [&](std::size_t i) { return std::pow(values[i], 21.0f); }));
    check_goals(made<float>(size, [&](std::size_t i) { return i < 50 ? 1e30f : values[i]; }));
  }
  SUBCASE("mostly zeros, mostly ties") {
    check_goals(made<float>(size, [&](std::size_t i) { return i % 2 == 0 ? 0.0f : values[i]; }));
    check_goals(made<float>(size, [&](std::size_t i) { return i % 100 == 0 ? values[i] : 0.5f; }));
    check_goals(made<float>(size, [&](std::size_t i) { return std::trunc(values[i]); }));
    check_goals(std::vector<float>(size, -1.5f));
    check_goals(made<float>(size, [&](std::size_t i) { return i % 2 == 0 ? 2.0f : -1.0f; }));
    check_goals(made<float>(size, [&](std::size_t i) { return i == 99'999 ? -3.0f : 0.0f; }));
  }
}

TEST_CASE("what is not finite is counted in the same pass, and sent only where it is propagated") {
  float const infinity = std::numeric_limits<float>::infinity();
  float const nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t size : {200u, 70'000u}) {
    auto values = laplace<float>(size, 6);
    values[3] = nan;
    values[size / 2] = -infinity;
    values[size - 1] = -nan;
    for (bool is_exact : {false, true}) {
      Goal goal{.k = size / 50, .is_exact = is_exact, .propagates = true};
      check_largest(values, goal, {1, 2});
      for (std::uint64_t capacity : {1u, 2u, 3u, 4u}) {
        goal.capacity = capacity;
        check_largest(values, goal, {2});
      }
      goal = {.k = 2, .is_exact = is_exact, .propagates = true};
      check_largest(values, goal, {1});
      goal.propagates = false;
      auto const result = run<float>(size, goal, 2, values.data(), [&](auto& passes) {
        return passes.accumulate_guarded(GivenInput<float>{values.data()}, goal.k, 0);
      });
      CHECK(result.indices.empty());
      CHECK(result.tail.non_finite == 3);
      CHECK(result.tail.participants == size - 3);
    }
  }
}

TEST_CASE("the sample does not affect the result") {
  std::size_t const size = std::size_t{1} << 17;
  auto const values = laplace<float>(size, 8);
  for (std::uint64_t number = 0; number < 4; ++number) {
    check_largest(values, Goal{.k = 500}, {2}, number * 0x1234'5678'9abc'def1u);
  }
}

TEST_CASE("the accumulator is made in the same pass, from terms, a residual and a momentum") {
  std::size_t const size = (std::size_t{1} << 16) + 5;
  auto const wide = laplace<float>(size, 9);
  auto const residual = laplace<float>(size, 10);
  auto const momentum = laplace<float>(size, 11);
  auto const narrow = made<weir::bfloat16>(size, [&](std::size_t i) { return wide[i]; });
  auto const other = made<weir::bfloat16>(size, [&](std::size_t i) { return wide[size - 1 - i]; });
  weir::WeightedTerm<weir::bfloat16 const, weir::HostSpace> const terms[] = {
      {weir::view(narrow.data(), size), 0.5}, {weir::view(other.data(), size), 1.0 / 3}};
  weir::SparsifyConstants constants;
  constants.beta = 0.7;
  constants.gamma = 1.1;
  for (int kind = 0; kind < 4; ++kind) {  // without a residual, with one, momentum, Nesterov
    constants.momentum = kind >= 2 ? 0.9 : 0.0;
    constants.nesterov = kind == 3;
    detail::AccumulateRule<float> const rule(constants, 0.3);
    std::vector<float> sum(size), moved = momentum;
    for (std::size_t i = 0; i < size; ++i) {
      float g = weir::rounded_product(static_cast<float>(narrow[i]), 0.5f);
      g = g + weir::rounded_product(static_cast<float>(other[i]), static_cast<float>(1.0 / 3));
      g = rule.gradient(g);
      sum[i] = kind == 0   ? g
               : kind == 1 ? rule.with_residual(g, residual[i])
                           : rule.with_momentum(g, residual[i], moved[i]);
    }
    for (std::size_t threads : {1u, 2u}) {
      std::vector<float> out(size, 77.0f), next(size, 77.0f);
      AccumulatedInput<weir::bfloat16 const, float> const input{terms,
                                                                2,
                                                                rule,
                                                                kind == 0 ? nullptr : residual.data(),
                                                                kind < 2 ? nullptr : momentum.data(),
                                                                kind < 2 ? nullptr : next.data(),
                                                                out.data()};
      Goal const goal{.k = size / 100};
      auto const result = run<float>(size, goal, threads, out.data(), [&](auto& passes) {
        return passes.accumulate_guarded(input, goal.k, 3);
      });
      CHECK(same_bits(out, sum));
      if (kind >= 2) CHECK(same_bits(next, moved));
      CHECK(is_expected(result, sum, selection_oracle::largest(sum, goal)));
      std::fill(out.begin(), out.end(), 0.0f);
      weir::ThreadTeam team(threads);
      std::vector<std::byte> memory(detail::CandidatePool<float>::bytes(size, threads));
      detail::CandidatePool<float> const pool(memory.data(), size, threads);
      SelectionPasses<float> passes(team, pool, out.data(), size);
      auto const tail = passes.accumulate<true, false>(input);
      CHECK(same_bits(out, sum));
      CHECK(tail.participants == selection_oracle::ranked(sum).size());
    }
  }
}

TEST_CASE("a threshold that is known selects in the same pass, at least one, at most the capacity") {
  std::size_t const size = (std::size_t{1} << 16) + 9;
  auto const values = laplace<float>(size, 11);
  auto const order = selection_oracle::ranked(values);
  GivenInput<float> const input{values.data()};
  for (std::size_t threads : {1u, 2u}) {
    weir::ThreadTeam team(threads);
    std::vector<std::byte> memory(detail::CandidatePool<float>::bytes(size, threads));
    detail::CandidatePool<float> const pool(memory.data(), size, threads);
    for (float threshold : {0.1f, 0.5f, 4.0f, 7.0f, 1e9f}) {
      for (bool is_known_before : {false, true}) {
        CAPTURE(threshold);
        SelectionPasses<float> passes(team, pool, values.data(), size);
        auto const tail = is_known_before ? passes.accumulate_above(input, threshold)
                                          : passes.accumulate<false, false>(input);
        CHECK(tail.participants == size);
        CHECK(tail.largest == static_cast<double>(std::abs(values[order.front()])));
        std::size_t wanted = 0;
        while (wanted < order.size() && std::abs(values[order[wanted]]) > threshold) ++wanted;
        CHECK(passes.count(threshold) == wanted);
        std::vector<std::uint32_t> indices(size, 77);
        std::vector<float> sent(size, 77.0f);
        if (wanted > 0) {
          CHECK(passes.select({threshold, 0, 0}, indices.data(), sent.data(), wanted - 1) == wanted);
          CHECK(std::count(indices.begin(), indices.end(), 77u) == static_cast<std::ptrdiff_t>(size));
        }
        CHECK(passes.select({threshold, 0, 0}, indices.data(), sent.data(), size) == wanted);
        std::vector<std::uint32_t> expected(order.begin(),
                                            order.begin() + static_cast<std::ptrdiff_t>(wanted));
        std::sort(expected.begin(), expected.end());
        indices.resize(wanted);
        CHECK(indices == expected);
        CHECK(passes.select({std::abs(values[order[2]]), 1, 0}, indices.data(), sent.data(), size) == 3);
      }
    }
  }
}

TEST_CASE("counters that ranks share are added to, the same for any number of threads") {
  std::size_t const size = 100'003;
  weir::RandomStream const stream{.seed = 12};
  std::vector<double> values(size);
  weir::TailStatistics tail{0, 0, 1e-9, 1e9, 0.0, 0.0, 0.0};
  for (std::size_t i = 0; i < size; ++i) {
    double const u = weir::RandomStream::uniform_from(stream(static_cast<std::uint32_t>(i))[0]);
    values[i] = i % 7 == 0 ? 0.0 : std::exp(60.0 * u - 40.0);  // also far below the 16 octaves
    tail.participants += values[i] != 0.0 ? 1 : 0;
  }
  values[3] = std::numeric_limits<double>::infinity();
  using Search = weir::SharedRankSearch<double>;
  Search search;
  search.start(1000, 10, false, tail, tail);
  std::vector<std::uint64_t> expected(Search::counters + 1, 5);
  for (double const value : values) ++expected[search.counter_of(value)];
  expected.pop_back();
  for (std::size_t const threads : {1u, 2u, 5u}) {
    weir::ThreadTeam team(threads);
    std::vector<std::byte> memory(detail::CandidatePool<double>::bytes(size, threads), std::byte{0xa5});
    detail::CandidatePool<double> const pool(memory.data(), size, threads);
    SelectionPasses<double> passes(team, pool, values.data(), size);
    std::vector<std::uint64_t> counters(Search::counters, 5);
    passes.count_shared(search, counters.data());
    CHECK(counters == expected);
    CHECK(passes.sweeps() == 1);
  }
}
