#include "weir/host/kernels/sparsify_passes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

#include "support/plain_passes.hpp"
#include "support/sparse_bucket.hpp"
#include "weir/compress/threshold/exponential.hpp"

namespace {

using Passes = weir::detail::SparsifyPasses<float, float, std::uint32_t>;

/// A vector with its passes.
struct Case {
  explicit Case(std::vector<float> given, std::size_t threads = 2)
      : values(std::move(given)), team(threads), bucket(executor, values.size(), {}) {
    term = {weir::view(values), 1.0};
    work = bucket.describe(std::span(&term, 1));
    work.accumulator = {};
    scratch.resize(Passes::scratch_bytes(values.size(), threads));
    work.scratch = weir::view(scratch);
  }

  std::vector<float> values;
  weir::ThreadTeam team;
  weir::HostExecutor executor;
  weir_test::SparseBucket<float> bucket;
  weir::WeightedTerm<float, weir::HostSpace> term;
  weir::SparsifyWork<float, float, weir::HostSpace> work;
  std::vector<std::byte> scratch;
};

}  // namespace

TEST_CASE("where the accumulator is") {
  std::vector<float> values(4), accumulator(4), first(4), second(4);
  weir::ThresholdState state;
  weir::WeightedTerm<float, weir::HostSpace> const term{weir::view(values), 1.0};
  weir::SparsifyWork<float, float, weir::HostSpace> work;
  work.terms = std::span(&term, 1);
  work.state = &state;
  CHECK(weir::detail::accumulator_of(work) == values.data());
  work.accumulator = weir::view(accumulator);
  CHECK(weir::detail::accumulator_of(work) == accumulator.data());
  work.residual = {first.data(), second.data(), 4, &state.side};
  CHECK(weir::detail::accumulator_of(work) == second.data());
  state.side = 1;
  CHECK(weir::detail::accumulator_of(work) == first.data());
  work.constants.feedback = weir::FeedbackKind::differences;
  CHECK(weir::detail::accumulator_of(work) == accumulator.data());
}

TEST_CASE("order statistics of samples, small and large") {
  weir_test::Draws draws(61);
  Case small(draws.quantised(5000, 40));
  Case large(draws.laplace((std::size_t{1} << 18) + 77));
  small.values[17] = small.values[4000] = std::numeric_limits<float>::quiet_NaN();
  for (Case* const one : {&small, &large}) {
    std::uint64_t const size = one->values.size();
    weir::SelectionKey const key{3, 4, 5};
    Passes passes(one->team, one->work, key);
    weir_test::PlainPasses<float, float> const plain(one->work, key);
    for (weir::SampleRequest const request : {weir::SampleRequest{100, 1},
                                              {100, 100},
                                              {1000, 37},
                                              {size / 2, 9},
                                              {size / 2 + 5000, 3},
                                              {size, 1},
                                              {size, 4},
                                              {size, 60}}) {
      CHECK(passes.sample(request) == plain.sample(request));
    }
  }
}

TEST_CASE("samples and slots that are drawn are the same with one to eight threads") {
  std::size_t const size = 600'001;
  auto const values = weir_test::Draws(64).laplace(size);
  weir::SelectionKey const key{3, 4, 5};
  std::uint64_t const count = 60'000;
  std::vector<std::uint32_t> indices;
  std::vector<float> drawn, magnitudes;
  for (std::size_t threads = 1; threads <= 8; ++threads) {
    CAPTURE(threads);
    Case one(values, threads);
    std::vector<float> found;
    for (weir::SampleRequest const request :
         {weir::SampleRequest{6000, 60}, {100'000, 5000}, {size / 2 + 5000, 4}, {size, 4096}})
      found.push_back(Passes(one.team, one.work, key).sample(request));
    Passes(one.team, one.work, key).draw(count, 2.0);
    auto const& out = one.work.out;
    if (threads == 1) {
      magnitudes = found;
      indices.assign(out.indices.begin(), out.indices.begin() + count);
      drawn.assign(out.values.begin(), out.values.begin() + count);
      weir_test::PlainPasses<float, float>(one.work, key).draw(count, 2.0);
    }
    CHECK(found == magnitudes);
    CHECK(std::equal(indices.begin(), indices.end(), out.indices.begin()));
    CHECK(std::equal(drawn.begin(), drawn.end(), out.values.begin()));
  }
}

TEST_CASE("slots drawn by chance are those of the permutation, in ascending order") {
  for (std::size_t const size : {1u, 63u, 64u, 65u, 1000u}) {
    Case one(weir_test::Draws(62).laplace(size));
    weir::SelectionKey const key{7, 8, 9};
    for (std::uint64_t const count :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{size / 2}, std::uint64_t{size}}) {
      Passes(one.team, one.work, key).draw(count, 2.0);
      std::vector<std::uint32_t> const indices(one.work.out.indices.begin(),
                                               one.work.out.indices.begin() + count);
      std::vector<float> const values(one.work.out.values.begin(), one.work.out.values.begin() + count);
      weir_test::PlainPasses<float, float>(one.work, key).draw(count, 2.0);
      CHECK(indices ==
            std::vector<std::uint32_t>(one.work.out.indices.begin(), one.work.out.indices.begin() + count));
      CHECK(values == std::vector<float>(one.work.out.values.begin(), one.work.out.values.begin() + count));
    }
  }
}

TEST_CASE("counters that ranks share are those of plain loops, and nothing behind them is touched") {
  using Search = weir::SharedRankSearch<float>;
  Case one(weir_test::Draws(65).laplace(50'000));
  for (std::size_t i = 0; i < 500; ++i) one.values[97 * i] = 0.0f;  // no counter is theirs
  one.values[3] = std::numeric_limits<float>::infinity();
  Passes passes(one.team, one.work, {});
  weir::TailStatistics const tail = passes.accumulate<true, true>();
  Search search;
  search.start(300, 3, false, tail, tail);
  std::vector<std::uint64_t> found(Search::counters + 1, 5);
  std::vector<std::uint64_t> expected = found;
  passes.count_shared(search, found.data());
  weir_test::PlainPasses<float, float>(one.work, {}).count_shared(search, expected.data());
  CHECK(found == expected);
  CHECK(expected.back() == 5);
}

TEST_CASE("a part that selects looks at everything once, with what the part before has found out") {
  Case one(weir_test::Draws(66).laplace(100'000));
  one.values[5] = std::numeric_limits<float>::infinity();
  one.work.constants.non_finite = weir::NonFinitePolicy::propagate;
  weir::TailStatistics tail;
  one.work.tail = &tail;
  for (auto const part : {weir::SparsifyPart::accumulate, weir::SparsifyPart::select}) {
    one.work.part = part;
    Passes passes(one.team, one.work, {});
    weir::detail::sparsify_with(passes, one.work, weir::Exponential{});
    CHECK(passes.sweeps() == 1);
  }
  CHECK(one.bucket.last().non_finite == 1);
  CHECK(one.bucket.counts.count == doctest::Approx(1000).epsilon(0.1));
  CHECK(std::count(one.work.out.indices.begin(), one.work.out.indices.end(), 5u) == 1);
}

TEST_CASE("moments that are taken later are those of the first pass") {
  Case one(weir_test::Draws(63).laplace(100000));
  Passes passes(one.team, one.work, {});
  weir::TailStatistics const first = passes.accumulate<true, true>();
  weir::TailStatistics const guarded = passes.accumulate_ranked(1000);
  CHECK(guarded.participants == first.participants);
  CHECK(guarded.largest == first.largest);
  weir::TailStatistics const later = passes.moments<true>();
  CHECK(later.sum == first.sum);
  CHECK(later.squared_deviations == first.squared_deviations);
  CHECK(later.sum_of_logarithms == first.sum_of_logarithms);
}
