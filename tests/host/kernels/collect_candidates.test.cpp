#include "weir/host/kernels/collect_candidates.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "weir/host/kernels/selection_input.hpp"

namespace {
namespace detail = weir::detail;
using Key = weir::MagnitudeKey<float>;
}  // namespace

TEST_CASE("a pass leaves the candidates of each block in order, and says what it has seen") {
  std::size_t const size = 200'003;
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    values[i] = static_cast<float>((i * 7919) % 1009) * (i % 2 == 0 ? 0.5f : -0.5f);
  }
  values[70'000] = std::numeric_limits<float>::infinity();
  float const guard = 490.0f;
  auto const range = detail::BinRange<float>::below(Key::of(504.0f), 15);
  for (std::size_t threads : {1u, 2u, 5u}) {
    weir::ThreadTeam team(threads);
    std::vector<std::byte> memory(detail::CandidatePool<float>::bytes(size, threads));
    detail::CandidatePool<float> const pool(memory.data(), size, threads);
    auto const seen = detail::collect_candidates(team, detail::GivenInput<float>{values.data()}, size,
                                                 Key::of(guard), range, pool);
    std::uint64_t count = 0, non_zero = 0;
    for (float value : values) {
      count += std::abs(value) > guard ? 1 : 0;
      non_zero += value != 0 ? 1 : 0;
    }
    CHECK(seen.fit);
    CHECK(seen.count == count);
    CHECK(seen.finite() == count - 1);
    CHECK(seen.non_zero == non_zero);
    CHECK(seen.largest == Key::of(504.0f));
    CHECK(seen.smallest == Key::of(490.5f));
    CHECK(pool.counts(0)[range.bins] == 1);  // infinity
    std::uint64_t wrong = 0, all = 0;
    for (std::size_t index = 0; index < pool.blocks_of(size); ++index) {
      auto const& block = pool.blocks()[index];
      for (std::uint32_t i = 0; i < block.candidates; ++i, ++all) {
        std::uint32_t const position = pool.positions()[block.pool_offset + i];
        wrong += i > 0 && position <= pool.positions()[block.pool_offset + i - 1] ? 1 : 0;
        wrong +=
            values[index * detail::SelectionBlock::length + position] == pool.values()[block.pool_offset + i]
                ? 0
                : 1;
      }
    }
    CHECK(wrong == 0);
    CHECK(all == count);
    auto const too_many =
        detail::collect_candidates(team, detail::GivenInput<float>{values.data()}, size, 0, {}, pool);
    CHECK(too_many.count == non_zero);
    CHECK(too_many.fit == (non_zero <= pool.capacity()));
  }
}
