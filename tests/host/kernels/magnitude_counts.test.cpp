#include "weir/host/kernels/magnitude_counts.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace {
namespace detail = weir::detail;
using Range = detail::BinRange<float>;
using Key = weir::MagnitudeKey<float>;
}  // namespace

TEST_CASE("a window ends with the bin of a key, and has no more bins than there are counters") {
  auto const range = Range::below(Key::of(1.5f), 15);
  CHECK(range.bins == 4096);
  CHECK(((Key::of(1.5f) - range.low) >> 15) == 4095u);
  CHECK(range.low % (1u << 15) == 0);
  auto const small = Range::below(Key::of(0x1p-148f), 15);
  CHECK(small.low == 0);
  CHECK(small.bins == 1);
}

TEST_CASE("a window from a key on ends where magnitudes are not finite, if not before") {
  auto const is = [](auto low, std::size_t bins) {
    using Real = decltype(low);
    using RealKey = weir::MagnitudeKey<Real>;
    auto const range = detail::BinRange<Real>::from(RealKey::of(low), RealKey::shift(0));
    return range.low == RealKey::of(low) && range.shift == RealKey::shift(0) && range.bins == bins;
  };
  CHECK(is(1.0f, 4096));
  CHECK(is(0x1p112f, 4096));
  CHECK(is(0x1p113f, 3840));
  CHECK(is(0x1p127f, 256));
  CHECK(is(0x1.ffp127f, 1));
  CHECK(is(0x1p1008, 4096));
  CHECK(is(0x1.8p1008, 3968));
  CHECK(is(0x1p1023, 256));
}

TEST_CASE("values are counted in their bins, and what is in none besides, by any number of threads") {
  std::vector<float> values(100'000);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = (i % 2 == 0 ? -1.0f : 1.0f) * static_cast<float>(i % 1000);
  values[10] = std::numeric_limits<float>::infinity();
  values[20] = 1e30f;
  values[30] = 1e-30f;
  auto const range = Range::below(Key::of(999.0f), 15);
  std::vector<std::uint64_t> expected(range.bins + 1);
  for (float value : values) {
    auto const key = Key::of(value);
    bool const is_inside = key >= range.low && key != 0 && (key - range.low) >> 15 < range.bins;
    ++expected[is_inside ? (key - range.low) >> 15 : range.bins];
  }
  for (std::size_t threads : {1u, 3u}) {
    weir::ThreadTeam team(threads);
    std::vector<std::byte> memory(detail::CandidatePool<float>::bytes(values.size(), threads),
                                  std::byte{0x5a});
    detail::CandidatePool<float> const pool(memory.data(), values.size(), threads);
    detail::count_all_in_bins(team, values.data(), values.size(), range, pool);
    CHECK(std::vector<std::uint64_t>(pool.counts(0), pool.counts(0) + range.bins + 1) == expected);
  }
}

TEST_CASE("ranks are counted from the largest bin on") {
  std::uint64_t const counts[] = {5, 0, 3, 2};
  auto const is = [&](std::uint64_t rank, std::size_t bin, std::uint64_t above) {
    auto const found = detail::bin_of_rank(counts, 4, rank);
    return found.bin == bin && found.above == above;
  };
  CHECK(is(1, 3, 0));
  CHECK(is(2, 3, 0));
  CHECK(is(3, 2, 2));
  CHECK(is(5, 2, 2));
  CHECK(is(6, 0, 5));
  CHECK(is(11, 4, 10));
}
