#include "weir/host/kernels/magnitude_of_rank.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "fault/sanitizers.hpp"
#include "host/verb_oracle.hpp"

namespace {

template <class Real>
using Pool = weir::detail::CandidatePool<Real>;

template <class Real>
struct Search {
  Search(std::vector<Real> const& given, std::size_t threads)
      : values(given),
        team(threads),
        memory(Pool<Real>::bytes(values.size(), threads)),
        pool(memory.data(), values.size(), threads) {}

  Real magnitude(std::uint64_t rank) {
    return weir::detail::magnitude_of_rank(team, pool, values.data(), values.size(), rank);
  }

  std::vector<Real> values;
  weir::ThreadTeam team;
  std::vector<std::byte> memory;
  Pool<Real> pool;
};

/// Of all magnitudes there are, many of them more than once, and zeros.
template <class Real>
std::vector<Real> wide(std::size_t size) {
  oracle::Numbers numbers(size);
  std::vector<Real> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    int const exponent = static_cast<int>(numbers.bits() % 250) - 149;
    values[i] = i % 7 == 0   ? Real{0}
                : i % 3 == 0 ? values[i / 2]
                             : std::ldexp(Real(numbers.number()), exponent);
    values[i] = std::abs(values[i]);
  }
  return values;
}

template <class Real>
void check_ranks() {
  std::size_t const ranks = UNDER_THREAD_SANITIZER ? 8 : 40;
  for (std::size_t const size : {std::size_t{1}, std::size_t{100}, std::size_t{100'003}}) {
    auto const values = wide<Real>(size);
    auto sorted = values;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    for (std::size_t threads : {1u, 3u}) {
      CAPTURE(threads);
      Search<Real> search(values, threads);
      for (std::uint64_t rank = 1; rank <= size; rank += 1 + size / ranks)
        CHECK(search.magnitude(rank) == sorted[rank - 1]);
      CHECK(search.magnitude(size) == sorted[size - 1]);
    }
  }
}

}

TEST_CASE("the magnitude of a rank is that of a sorted vector, ties and zeros included") {
  check_ranks<float>();
  check_ranks<double>();
}

TEST_CASE("there is no magnitude above 0 of a rank that nothing has") {
  CHECK(Search<float>({0, 0, 0}, 1).magnitude(1) == 0.0f);
  CHECK(Search<float>({0, 3, 0}, 1).magnitude(1) == 3.0f);
  CHECK(Search<float>({0, 3, 0}, 1).magnitude(2) == 0.0f);
  CHECK(Search<float>({}, 1).magnitude(1) == 0.0f);
  float const infinity = std::numeric_limits<float>::infinity();
  CHECK(Search<float>({2, infinity, 1}, 1).magnitude(2) == 1.0f);
}

TEST_CASE("the bin of a rank is looked for from the highest key on, window by window") {
  Search<float> search({1e-30f, 1e30f, 1.0f, 2.0f}, 2);
  using Key = weir::MagnitudeKey<float>;
  auto const find = [&](std::uint64_t rank, float lowest, float highest) {
    return weir::detail::find_rank(search.team, search.pool, search.values.data(), search.values.size(), rank,
                                   Key::of(lowest), Key::of(highest), Key::shift(0));
  };
  auto const top = find(1, 0.0f, 1e30f);
  CHECK(top.is_there);
  CHECK(top.passes == 1);
  CHECK(top.answer.bin == Key::of(1e30f) >> Key::shift(0));
  auto const last = find(4, 0.0f, 1e30f);
  CHECK(last.is_there);
  CHECK(last.passes > 10);
  CHECK(last.answer.above == 3);
  CHECK(last.answer.inside == 1);
  CHECK(find(1, 0.0f, 3.0f).answer.bin == Key::of(2.0f) >> Key::shift(0));
  auto const none = find(3, 0.5f, 3.0f);
  CHECK_FALSE(none.is_there);
  CHECK(none.answer.above == 2);
}
