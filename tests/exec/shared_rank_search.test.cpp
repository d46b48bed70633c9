#include "weir/exec/shared_rank_search.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "exec/rank_oracle.hpp"

namespace {

using weir::SharedRankSearch;
using weir::TailStatistics;

static_assert(std::is_trivially_copyable_v<SharedRankSearch<float>>);
static_assert(SharedRankSearch<float>::counters == 4096 + 16 && SharedRankSearch<float>::rounds == 4);
static_assert(SharedRankSearch<double>::counters == 4096 + 128 && SharedRankSearch<double>::rounds == 6);

template <class Real>
using Data = std::vector<std::vector<Real>>;  // by rank

template <class Real>
TailStatistics tail_of(std::vector<Real> const& values) {
  TailStatistics tail;
  for (Real const value : values) {
    if (!weir::MagnitudeKey<Real>::takes_part(weir::MagnitudeKey<Real>::of(value))) continue;
    double const x = std::fabs(static_cast<double>(value));
    tail.smallest = tail.participants == 0 ? x : std::min(tail.smallest, x);
    tail.largest = std::max(tail.largest, x);
    ++tail.participants;
  }
  return tail;
}

template <class Real>
std::vector<Real> joined(Data<Real> const& data) {
  std::vector<Real> all;
  for (auto const& values : data) all.insert(all.end(), values.begin(), values.end());
  return all;
}

template <class Real>
struct Result {
  std::vector<SharedRankSearch<Real>> searches;  // by rank
  unsigned rounds = 0;
};

template <class Real>
Result<Real> search(Data<Real> const& data, std::uint64_t k, std::uint64_t tolerance, bool is_exact) {
  constexpr std::size_t counters = SharedRankSearch<Real>::counters;
  TailStatistics const all = tail_of(joined(data));
  Result<Real> result;
  result.searches.resize(data.size());
  for (std::size_t rank = 0; rank < data.size(); ++rank)
    result.searches[rank].start(k, tolerance, is_exact, all, tail_of(data[rank]));
  while (!result.searches[0].is_done()) {
    CHECK(++result.rounds <= SharedRankSearch<Real>::rounds);
    std::vector<std::vector<std::uint64_t>> own(data.size(), std::vector<std::uint64_t>(counters + 1));
    std::vector<std::uint64_t> sums(counters);
    for (std::size_t rank = 0; rank < data.size(); ++rank) {
      for (Real const value : data[rank]) ++own[rank][result.searches[rank].counter_of(value)];
      for (std::size_t i = 0; i < counters; ++i) sums[i] += own[rank][i];
    }
    for (std::size_t rank = 0; rank < data.size(); ++rank)
      result.searches[rank].resume(sums.data(), own[rank].data());
    for (auto const& other : result.searches) CHECK(other.is_done() == result.searches[0].is_done());
  }
  std::vector<std::uint64_t> ties;
  for (auto const& other : result.searches) ties.push_back(other.own_ties());
  for (std::size_t rank = 0; rank < data.size(); ++rank) result.searches[rank].divide(ties.data(), rank);
  return result;
}

/// Magnitudes over `octaves` octaves, of `levels` values each octave (0: of all), some of them not usable.
template <class Real>
Data<Real> draws(std::size_t ranks, std::size_t size, double octaves, int levels, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  Data<Real> data(ranks, std::vector<Real>(size));
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    for (Real& value : data[rank]) {
      double const fraction = uniform(engine);
      double const mantissa = levels == 0 ? 1 + fraction : 1 + std::floor(fraction * levels) / levels;
      double const octave = std::floor(octaves * uniform(engine));
      value = static_cast<Real>(std::ldexp(mantissa, static_cast<int>(rank) - static_cast<int>(octave)));
      if (engine() % 2 == 0) value = -value;
      if (engine() % 50 == 0) value = 0;
      if (engine() % 200 == 0) value = std::numeric_limits<Real>::infinity();
    }
  }
  return data;
}

template <class Real>
void check_against_one_rank(std::uint64_t seed) {
  for (std::size_t const ranks : {1u, 2u, 5u}) {
    for (double const octaves : {1.0, 8.0, 40.0, 120.0}) {
      for (int const levels : {0, 3}) {
        auto const data = draws<Real>(ranks, 700, octaves, levels, ++seed);
        auto const all = joined(data);
        for (std::uint64_t const k : {1u, 7u, 99u, 300u, 640u}) {
          for (bool const is_exact : {false, true}) {
            std::uint64_t const tolerance = is_exact ? 0 : k / 100;
            auto const expected = search_among(all, k, tolerance, is_exact);
            auto const found = search(data, k, tolerance, is_exact);
            std::uint64_t ties = 0;
            for (std::size_t rank = 0; rank < ranks; ++rank) {
              CHECK(found.searches[rank].cut().threshold == expected.cut.threshold);
              CHECK(found.searches[rank].levels() == expected.levels);
              ties += found.searches[rank].cut().ties;
            }
            CHECK(ties == expected.cut.ties);
          }
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("ranks find the cut that one would find in their data") {
  check_against_one_rank<float>(100);
  check_against_one_rank<double>(200);
}

TEST_CASE("of magnitudes equal to the threshold those of the first ranks are taken") {
  Data<float> const data = {{1, 3, 1}, {2, -1, 0}, {1, 1, 1}};
  auto const found = search(data, 5, 0, true);
  CHECK(found.searches[0].cut().threshold == 1.0f);
  CHECK(found.searches[0].cut().ties == 2);
  CHECK(found.searches[1].cut().ties == 1);
  CHECK(found.searches[2].cut().ties == 0);
}

TEST_CASE("one round is enough where the 16 octaves below the largest have the k-th, and a bin a cut") {
  auto const near = draws<float>(3, 3000, 12.0, 0, 1);
  CHECK(search(near, 4000, 40, false).rounds == 1);
  CHECK(search(near, 4000, 0, true).rounds == 3);
  auto far = near;
  far[1][5] = 1e9f;
  CHECK(search(far, 8000, 80, false).rounds == 2);
}

TEST_CASE("what needs no search is done at once") {
  Data<double> const equal = {{2, -2, 0}, {0, 0, 0}, {2, 2, 2}};
  auto const found = search(equal, 3, 0, false);
  CHECK(found.rounds == 0);
  CHECK(found.searches[0].cut().threshold == 2.0);
  CHECK(found.searches[0].cut().ties == 2);
  CHECK(found.searches[1].cut().ties == 0);
  CHECK(found.searches[2].cut().ties == 1);
  CHECK(found.searches[2].levels() == 1);

  Data<float> const few = {{1, 0}, {0, 2}};
  CHECK(search(few, 2, 0, false).searches[1].cut().threshold == 0.0f);
  CHECK(!search(few, 2, 0, false).searches[1].selects_nothing());
  CHECK(search(few, 0, 0, false).searches[0].selects_nothing());
  CHECK(search(Data<float>{{0, 0}, {0, 0}}, 2, 0, true).searches[0].selects_nothing());
}
