// Whole sparsifications by the device's code, played on the host, against the verb of the host.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/kernels/play_sparsify.cuh"
#include "support/sparse_bucket.hpp"
#include "weir/compress/threshold/deferred.hpp"
#include "weir/compress/threshold/everything.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/gamma.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold/red_sync.hpp"
#include "weir/compress/threshold/sampled_top_k.hpp"

namespace {

using weir::DeviceSpace;
using weir_test::Draws;
using weir_test::SparseBucket;
using weir_test::SparseBucketOptions;

template <class T>
weir::TensorView<T, DeviceSpace> on_device(weir::TensorView<T, weir::HostSpace> view) {
  return {view.data(), view.size()};
}
template <class T>
weir::TwoSidedView<T, DeviceSpace> on_device(weir::TwoSidedView<T, weir::HostSpace> view) {
  return {view.side(0), view.side(1), view.size(), view.side_word()};
}

/// The same work as a device would see it, and its memory, in which there is something at first.
template <class Element, class Real>
struct PlayedWork {
  weir::SparsifyWork<Element, Real, DeviceSpace> work;
  std::vector<weir::WeightedTerm<Element, DeviceSpace>> terms;
  std::vector<std::uint64_t> scratch;

  explicit PlayedWork(weir::SparsifyWork<Element, Real, weir::HostSpace> const& on_host) {
    for (auto const& term : on_host.terms) terms.push_back({on_device(term.values), term.weight});
    std::size_t const size = on_host.terms[0].values.size();
    scratch.assign(weir::detail::SparsifyLayout::of(size).bytes(sizeof(Real)) / 8 + 1,
                   0xa5a5'a5a5'a5a5'a5a5u);
    work = {.terms = terms,
            .scale = on_host.scale,
            .accumulator = on_device(on_host.accumulator),
            .residual = on_device(on_host.residual),
            .momentum = on_device(on_host.momentum),
            .constants = on_host.constants,
            .state = on_host.state,
            .out = {on_host.out.counts, on_device(on_host.out.indices), on_device(on_host.out.values)},
            .scratch = {reinterpret_cast<std::byte*>(scratch.data()), scratch.size() * 8},
            .step = on_host.step,
            .part = on_host.part,
            .tail = on_host.tail,
            .shared_tail = on_host.shared_tail,
            .shared_rank = on_host.shared_rank,
            .counters = on_host.counters};
  }
};

template <class Real>
bool same_numbers(std::vector<Real> const& one, std::vector<Real> const& other) {
  if (one.size() != other.size()) return false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (std::memcmp(&one[i], &other[i], sizeof(Real)) != 0 && (one[i] == one[i] || other[i] == other[i]))
      return false;
  }
  return true;
}

/// Steps on the host and played, one after another; what they leave behind is the same. Returns how many
/// passes over all elements the last search took.
template <class Policy, class Element, class Real = Element>
int check(SparseBucketOptions const& options, std::vector<std::vector<Element>> const& gradients,
          play::SparsifyGrid const& grid = {}, weir::GradientScale scale = {}, Policy const& policy = {}) {
  static weir::HostExecutor const executor;
  SparseBucket<Real, Element> expected(executor, gradients[0].size(), options);
  SparseBucket<Real, Element> found(executor, gradients[0].size(), options);
  int sweeps = 0;
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    CAPTURE(std::string(Policy::name));
    CAPTURE(gradients[0].size());
    CAPTURE(options.density);
    CAPTURE(step);
    // As by one term, and as by two.
    std::vector<Element> const& other = gradients[(step + 1) % gradients.size()];
    weir::WeightedTerm<Element, weir::HostSpace> const terms[] = {{weir::view(gradients[step]), 1.0},
                                                                  {weir::view(other), 0.25}};
    std::span const used(terms, options.momentum ? 2 : 1);
    expected.step(used, policy, scale);
    PlayedWork<Element, Real> played(found.describe(used, scale));
    play::SparsifyPhases const phases = play::sparsify(played.work, policy, grid);
    CHECK(phases.all < 200);
    sweeps = phases.sweeps;
    CHECK(found.counts.count == expected.counts.count);
    CHECK(found.counts.wanted == expected.counts.wanted);
    CHECK(found.indices() == expected.indices());
    CHECK(same_numbers(found.values(), expected.values()));
    if (options.feedback) CHECK(same_numbers(found.residual(), expected.residual()));
    if (options.momentum) CHECK(same_numbers(found.momentum(), expected.momentum()));
    CHECK(found.state.last.threshold == expected.state.last.threshold);
    CHECK(found.state.last.stages == expected.state.last.stages);
    CHECK(std::memcmp(&found.state, &expected.state, sizeof found.state) == 0);
  }
  return sweeps;
}

std::vector<std::vector<float>> laplace(std::size_t size, int steps, std::uint64_t seed) {
  Draws draws(seed);
  std::vector<std::vector<float>> gradients;
  for (int step = 0; step < steps; ++step) gradients.push_back(draws.laplace(size));
  return gradients;
}

template <class... Policy>
void check_each(SparseBucketOptions const& options, std::vector<std::vector<float>> const& gradients,
                play::SparsifyGrid const& grid = {}) {
  (check<Policy, float>(options, gradients, grid), ...);
}

void check_all(SparseBucketOptions const& options, std::vector<std::vector<float>> const& gradients,
               play::SparsifyGrid const& grid = {}) {
  check_each<weir::Histogram, weir::ExactTopK, weir::Exponential, weir::GeneralizedPareto, weir::SampledTopK,
             weir::GaussianK, weir::RedSync, weir::RandomK, weir::Everything, weir::Deferred>(
      options, gradients, grid);
}

}  // namespace

TEST_CASE("a step leaves behind what the host leaves behind, at any size and with any number of blocks") {
  SparseBucketOptions const options{.density = 0.01, .feedback = true};
  for (std::size_t const size : {1u, 2u, 31u, 33u, 5000u}) {
    check_all(options, laplace(size, 2, 61));
    check_all(options, laplace(size, 2, 61), {1, 1, false});
  }
  check_all(options, laplace(70'001, 2, 62), {17, 5});
}

TEST_CASE("the same of buckets that are worth a guess, also where it is wrong") {
  std::size_t const size = (1 << 18) + 77;
  for (double const density : {0.0001, 0.01, 0.2}) {
    check_each<weir::Histogram, weir::ExactTopK, weir::Exponential>({.density = density, .feedback = true},
                                                                    laplace(size, 2, 63), {7, 6});
  }
  // The candidates of the first pass are enough; a fitted threshold takes one pass that collects its own.
  for (double const density : {0.001, 0.01}) {
    CHECK(check<weir::Histogram, float>({.density = density, .feedback = true}, laplace(size, 2, 63)) == 0);
    CHECK(check<weir::ExactTopK, float>({.density = density}, laplace(size, 2, 63)) == 0);
    CHECK(check<weir::Exponential, float>({.density = density}, laplace(size, 2, 63)) == 1);
  }
  Draws draws(64);
  std::vector<float> ramp(size), late(size, 0.25f);
  for (std::size_t i = 0; i < size; ++i) ramp[i] = static_cast<float>(i) * (i % 2 == 0 ? 1.0f : -1.0f);
  for (std::size_t i = size - 3000; i < size; ++i) late[i] = static_cast<float>(i % 7);
  std::vector<std::vector<float>> const others{draws.mixture(size), ramp, late, draws.quantised(size, 5),
                                               std::vector<float>(size, 0.5f)};
  for (double const density : {0.001, 0.02}) {
    check_each<weir::Histogram, weir::ExactTopK, weir::GeneralizedPareto>({.density = density}, others,
                                                                          {5, 8, false});
  }
}

TEST_CASE("the same without feedback, with momentum, in 16 bits, with little room, with a reused threshold") {
  check_all({.density = 0.02}, laplace(9'000, 2, 65));
  check_all({.density = 0.01, .feedback = true, .capacity = 60}, laplace(9'000, 3, 66));
  check_all({.density = 0.01, .capacity = 0}, laplace(9'000, 1, 66));
  SparseBucketOptions options{.density = 0.01, .feedback = true, .momentum = true};
  options.constants.momentum = 0.9;
  options.constants.nesterov = true;
  options.constants.rounds_values = true;
  options.constants.precision = weir::ElementType::bfloat16;
  options.constants.reuse = {.interval = 3, .gain = 0.02};
  check_all(options, laplace(9'000, 7, 67));
  auto const large = laplace((1 << 18) + 1, 5, 68);
  check<weir::Exponential, float>(options, large);
  CHECK(check<weir::Histogram, float>(options, large) == 0);
  SparseBucketOptions reused{.density = 0.01};
  reused.constants.reuse = {.interval = 3, .gain = 0.02};
  CHECK(check<weir::Exponential, float>(reused, laplace(1 << 18, 3, 68)) == 0);
  SparseBucketOptions differences{.density = 0.01, .feedback = true};
  differences.constants.feedback = weir::FeedbackKind::differences;
  check_each<weir::Histogram, weir::Exponential, weir::RandomK>(differences, laplace(9'000, 4, 69));
}

TEST_CASE("the same with stages, fixed, by ratio and adaptive") {
  for (auto const count : {weir::StageCount::fixed, weir::StageCount::ratio, weir::StageCount::adaptive}) {
    SparseBucketOptions options{.density = 0.003, .feedback = true};
    options.constants.stages.count = count;
    options.constants.stages.stages = 3;
    check_each<weir::Exponential, weir::GeneralizedPareto>(options, laplace(70'001, 12, 70), {9, 4});
  }
  check<weir::Gamma, float>({.density = 0.01}, laplace(70'001, 2, 71));
}

TEST_CASE("the same of what is not finite, and of steps that are void") {
  std::size_t const size = 20'000;
  auto gradients = laplace(size, 3, 72);
  for (std::size_t i = 3; i < size; i += 900) gradients[1][i] = i % 1800 == 3 ? 1.0f / 0.0f : 0.0f / 0.0f;
  for (auto const policy :
       {weir::NonFinitePolicy::skip, weir::NonFinitePolicy::propagate, weir::NonFinitePolicy::error}) {
    SparseBucketOptions options{.density = 0.01, .feedback = true};
    options.constants.non_finite = policy;
    check_all(options, gradients);
    options.capacity = 10;
    check_all(options, gradients);
  }
  weir::GradientControl const skip{.factor = 1.0, .skip = 1};
  weir::GradientControl const half{.factor = 0.5, .skip = 0};
  for (auto const* control : {&skip, &half}) {
    check<weir::Histogram, float>({.density = 0.01, .feedback = true}, gradients, {}, {2.0, control});
    check<weir::RandomK, float>({.density = 0.01, .feedback = true}, gradients, {}, {2.0, control});
  }
}

TEST_CASE("the same of other elements") {
  std::size_t const size = 30'000;
  std::vector<std::vector<weir::half>> halves(2);
  std::vector<std::vector<weir::bfloat16>> brains(2);
  std::vector<std::vector<double>> doubles(2);
  auto const floats = laplace(size, 2, 73);
  for (std::size_t step = 0; step < 2; ++step) {
    for (float const x : floats[step]) {
      halves[step].emplace_back(x);
      brains[step].emplace_back(x);
      doubles[step].push_back(static_cast<double>(x) * (step == 0 ? 1e-200 : 1e250));
    }
  }
  SparseBucketOptions const options{.density = 0.02, .feedback = true};
  for (bool const uses_packs : {true, false}) {
    play::SparsifyGrid const grid{4, 3, uses_packs};
    check<weir::Histogram, weir::half, float>(options, halves, grid);
    check<weir::Exponential, weir::bfloat16, float>(options, brains, grid);
    check<weir::ExactTopK, double>(options, doubles, grid);
    check<weir::GeneralizedPareto, double>({.density = 0.02}, doubles, grid);
  }
}

TEST_CASE("the statistics of the first of two parts, and what the second makes of them") {
  weir::HostExecutor const executor;
  auto const gradients = laplace(9'000, 1, 74);
  weir::WeightedTerm<float, weir::HostSpace> const term{weir::view(gradients[0]), 1.0};
  SparseBucket<float> expected(executor, 9'000, {.density = 0.02, .feedback = true});
  SparseBucket<float> found(executor, 9'000, {.density = 0.02, .feedback = true});
  weir::TailStatistics tail, found_tail;
  for (auto const part : {weir::SparsifyPart::accumulate, weir::SparsifyPart::select}) {
    auto work = expected.describe(std::span(&term, 1));
    work.part = part;
    work.tail = &tail;
    weir::SharedTail const shared{tail, 1};
    work.shared_tail = part == weir::SparsifyPart::select ? &shared : nullptr;
    weir::sparsify(executor, work, weir::GeneralizedPareto{});
    executor.synchronize();
    PlayedWork<float, float> played(found.describe(std::span(&term, 1)));
    played.work.part = part;
    played.work.tail = &found_tail;
    weir::SharedTail const found_shared{found_tail, 1};
    played.work.shared_tail = part == weir::SparsifyPart::select ? &found_shared : nullptr;
    play::sparsify(played.work, weir::GeneralizedPareto{}, {});
    CHECK(std::memcmp(&tail, &found_tail, sizeof tail) == 0);
  }
  CHECK(found.indices() == expected.indices());
  CHECK(same_numbers(found.residual(), expected.residual()));
  CHECK(std::memcmp(&found.state, &expected.state, sizeof found.state) == 0);
}

TEST_CASE("a rank selects by the moments of all as on the host, also nothing") {
  weir::HostExecutor const executor;
  auto const gradients = laplace(9'000, 1, 75);
  weir::WeightedTerm<float, weir::HostSpace> const term{weir::view(gradients[0]), 1.0};
  double const most = 1e6;
  weir::TailStatistics const large{0, 9'000, 1.0, most, 9e5, 9e5, 9'000.0};
  weir::TailStatistics const equal{0, 9'000, most, most, 9'000.0 * most, 0.0, 1e5};
  weir::TailStatistics const few{0, 300, 1.0, most, 300.0, 1.0, 0.0};
  weir::TailStatistics const narrow{0, 9'000, 0.5, 1.0, 9'000.0, 900.0, 0.0};
  std::vector<std::uint64_t> counts;
  for (weir::SharedTail const shared :
       {weir::SharedTail{large, 2}, {equal, 2}, {few, 2}, {narrow, 2}, {narrow, 1}}) {
    SparseBucket<float> expected(executor, 9'000, {.density = 0.02, .feedback = true});
    SparseBucket<float> found(executor, 9'000, {.density = 0.02, .feedback = true});
    weir::TailStatistics tail, found_tail;
    for (auto const part : {weir::SparsifyPart::accumulate, weir::SparsifyPart::select}) {
      auto work = expected.describe(std::span(&term, 1));
      work.part = part;
      work.tail = &tail;
      work.shared_tail = &shared;
      weir::sparsify(executor, work, weir::Exponential{});
      executor.synchronize();
      PlayedWork<float, float> played(found.describe(std::span(&term, 1)));
      played.work.part = part;
      played.work.tail = &found_tail;
      played.work.shared_tail = &shared;
      play::sparsify(played.work, weir::Exponential{}, {});
    }
    CHECK(found.indices() == expected.indices());
    CHECK(same_numbers(found.residual(), expected.residual()));
    CHECK(std::memcmp(&found.state, &expected.state, sizeof found.state) == 0);
    counts.push_back(expected.counts.count);
  }
  CHECK(counts[0] == 0);
  CHECK(counts[1] == 0);
  CHECK(counts[2] == 9'000);
  CHECK(counts[3] > 1);
}

TEST_CASE("a bin of which the candidates are only a part is counted anew") {
  weir::HostExecutor const executor;
  SparseBucketOptions options{.density = 0.01, .capacity = 200};
  options.constants.reuse = {.interval = 5, .gain = 0.02};
  std::vector<float> gradient(20'000, 0.1f);
  for (std::size_t i = 0; i < 251; ++i) gradient[i * 71] = i < 100 ? 2.0f : i < 201 ? 1.0015f : 1.0005f;
  SparseBucket<float> expected(executor, gradient.size(), options), found(executor, gradient.size(), options);
  for (auto* bucket : {&expected, &found}) {
    bucket->state.restart_if_changed(gradient.size(), options.constants.stages);
    bucket->state.keep(1.001, 1.0, 0.02, false);
  }
  expected.step(gradient, weir::Histogram{});
  weir::WeightedTerm<float, weir::HostSpace> const term{weir::view(gradient), 1.0};
  PlayedWork<float, float> played(found.describe(std::span(&term, 1)));
  play::sparsify(played.work, weir::Histogram{}, {});
  CHECK(expected.counts.wanted == 201);
  CHECK(found.counts.wanted == 201);
  CHECK(found.indices() == expected.indices());
  CHECK(std::memcmp(&found.state, &expected.state, sizeof found.state) == 0);
}

TEST_CASE("a rank that is found together is selected as on the host, and counted for alike") {
  weir::HostExecutor const executor;
  constexpr std::size_t ranks = 3;
  constexpr std::size_t size = 20'000;
  using Search = weir::SharedRankSearch<float>;
  for (double const density : {0.003, 0.2, 1.0}) {
    CAPTURE(density);
    auto whole = Draws(95).quantised(ranks * size, density < 0.1 ? 1 << 20 : 11);
    whole[5] = 1e6f;
    weir::TailStatistics all{0, 0, 0.0, 1e6, 0.0, 0.0, 0.0};
    std::vector<weir::TailStatistics> tails(ranks);
    std::vector<std::vector<float>> gradients;
    std::vector<Search> searches(ranks);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      auto const first = whole.begin() + static_cast<std::ptrdiff_t>(rank * size);
      gradients.emplace_back(first, first + static_cast<std::ptrdiff_t>(size));
      for (float const value : gradients[rank]) tails[rank].participants += value != 0.0f;
      all.participants += tails[rank].participants;
      tails[rank].largest = rank == 0 ? 1e6 : 1.0;
    }
    SparseBucketOptions const options{.density = density};
    std::vector<std::unique_ptr<SparseBucket<float>>> expected, found;
    std::uint64_t const k = ranks * weir::slots_of(density, size);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      expected.push_back(std::make_unique<SparseBucket<float>>(executor, size, options));
      found.push_back(std::make_unique<SparseBucket<float>>(executor, size, options));
      searches[rank].start(k, k / 100, false, all, tails[rank]);
    }
    // Does a part of the work on the host, and played with so many blocks.
    auto const run = [&](std::size_t rank, weir::SparsifyPart part, std::uint64_t* counted,
                         std::uint64_t* played_counts, unsigned blocks) {
      weir::WeightedTerm<float, weir::HostSpace> const term{weir::view(gradients[rank]), 1.0};
      for (bool const is_played : {false, true}) {
        auto work = (is_played ? found : expected)[rank]->describe(std::span(&term, 1));
        weir::TailStatistics tail = tails[rank];
        work.part = part;
        work.tail = &tail;
        weir::SharedTail const shared{all, ranks};
        work.shared_tail = &shared;
        work.shared_rank = &searches[rank];
        work.counters = is_played ? played_counts : counted;
        if (is_played) {
          PlayedWork<float, float> played(work);
          play::sparsify(played.work, weir::Histogram{}, {.search_blocks = blocks});
        } else {
          weir::sparsify(executor, work, weir::Histogram{});
          executor.synchronize();
        }
      }
    };
    for (std::size_t rank = 0; rank < ranks; ++rank)
      run(rank, weir::SparsifyPart::accumulate, nullptr, nullptr, 2);
    while (!searches[0].is_done()) {
      std::vector<std::uint64_t> sums(Search::counters);
      std::vector<std::vector<std::uint64_t>> own(ranks, sums);
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        std::vector<std::uint64_t> played(Search::counters);
        run(rank, weir::SparsifyPart::count, own[rank].data(), played.data(),
            1 + 3 * static_cast<unsigned>(rank));
        CHECK(played == own[rank]);
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += played[i];
      }
      CHECK(sums != std::vector<std::uint64_t>(Search::counters));
      for (std::size_t rank = 0; rank < ranks; ++rank) searches[rank].resume(sums.data(), own[rank].data());
    }
    std::vector<std::uint64_t> ties;
    for (auto const& search : searches) ties.push_back(search.own_ties());
    SparseBucket<float> one(executor, whole.size(), options);
    one.step(whole, weir::Histogram{});
    std::vector<std::uint32_t> together;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      searches[rank].divide(ties.data(), rank);
      std::vector<std::uint64_t> untouched(Search::counters), played(Search::counters);
      run(rank, weir::SparsifyPart::count, untouched.data(), played.data(), 2);  // there is nothing to count
      CHECK(played == untouched);
      run(rank, weir::SparsifyPart::select, nullptr, nullptr, 2);
      CHECK(found[rank]->indices() == expected[rank]->indices());
      CHECK(same_numbers(found[rank]->values(), expected[rank]->values()));
      CHECK(std::memcmp(&found[rank]->state, &expected[rank]->state, sizeof(weir::ThresholdState)) == 0);
      for (auto const index : found[rank]->indices())
        together.push_back(static_cast<std::uint32_t>(rank * size) + index);
    }
    CHECK(together == one.indices());
  }
}
