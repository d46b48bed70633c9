#include "weir/host/kernels/compact_selected.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "weir/host/kernels/collect_candidates.hpp"
#include "weir/host/kernels/selection_input.hpp"

namespace {

namespace detail = weir::detail;

template <class Real, class Index>
void check_type() {
  using Key = weir::MagnitudeKey<Real>;
  std::size_t const size = 150'001;
  std::vector<Real> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<Real>((i * 7919) % 1009) - 500;
  values[66'000] = -std::numeric_limits<Real>::quiet_NaN();
  for (Real threshold : {Real{300}, Real{499}}) {
    for (std::uint64_t ties : {0u, 1u, 150u, 10'000u}) {
      std::vector<Index> expected;
      std::uint64_t left = ties;
      for (std::size_t i = 0; i < size; ++i) {
        bool const is_tie = std::abs(values[i]) == threshold && left != 0;
        left -= is_tie ? 1 : 0;
        if (is_tie || !(std::abs(values[i]) <= threshold)) expected.push_back(static_cast<Index>(i));
      }
      detail::KeyCut<Real> const cut{Key::of(threshold), ties};
      for (std::size_t threads : {1u, 3u}) {
        weir::ThreadTeam team(threads);
        std::vector<std::byte> memory(detail::CandidatePool<Real>::bytes(size, threads));
        detail::CandidatePool<Real> const pool(memory.data(), size, threads);
        detail::GivenInput<Real> const input{values.data()};
        auto const guard = ties == 0 ? cut.threshold : cut.threshold - 1;
        REQUIRE(detail::collect_candidates(team, input, size, guard, {}, pool).fit);
        for (bool from_candidates : {true, false}) {
          std::vector<Index> indices(expected.size() + 1, 77);
          std::vector<Real> kept(expected.size() + 1, Real{77});
          if (from_candidates) {
            CHECK(detail::place_candidates(team, size, cut, pool) == expected.size());
            detail::compact_candidates(team, size, cut, pool, indices.data(), kept.data());
          } else {
            CHECK(detail::place_elements(team, values.data(), size, cut, pool) == expected.size());
            detail::compact_elements(team, input, size, cut, pool, indices.data(), kept.data());
          }
          CHECK(indices.back() == 77);  // nothing is written past the last
          CHECK(kept.back() == Real{77});
          indices.pop_back();
          CHECK(indices == expected);
          bool is_same = true;
          for (std::size_t i = 0; i < expected.size(); ++i) {
            is_same = is_same && __builtin_memcmp(&kept[i], &values[static_cast<std::size_t>(expected[i])],
                                                  sizeof(Real)) == 0;
          }
          CHECK(is_same);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("a cut takes what is above it and the first ties, from candidates and from all elements") {
  check_type<float, std::uint32_t>();
  check_type<float, std::uint64_t>();
  check_type<double, std::uint32_t>();
}

TEST_CASE("what is not finite counts as infinite: the first of them may be taken alone") {
  std::vector<float> values(100, 1.0f);
  values[3] = -std::numeric_limits<float>::infinity();
  values[40] = std::numeric_limits<float>::quiet_NaN();
  weir::ThreadTeam team(1);
  std::vector<std::byte> memory(detail::CandidatePool<float>::bytes(100, 1));
  detail::CandidatePool<float> const pool(memory.data(), 100, 1);
  detail::KeyCut<float> const cut{weir::MagnitudeKey<float>::infinity, 1};
  CHECK(detail::place_elements(team, values.data(), 100, cut, pool) == 1);
  std::uint32_t index = 77;
  float value = 0;
  detail::compact_elements(team, detail::GivenInput<float>{values.data()}, 100, cut, pool, &index, &value);
  CHECK(index == 3);
  CHECK(value == values[3]);
}
