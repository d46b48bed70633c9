#include "weir/comm/rank_order.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace {

template <class T>
std::vector<T> combined(weir::ReduceOp op, std::vector<std::vector<T>> const& ranks) {
  std::vector<T> result(ranks[0].size());
  weir::detail::combine_in_rank_order<T>(
      op, ranks.size(), 0, result.size(), [&](std::size_t rank) { return ranks[rank].data(); },
      [&](std::size_t offset, T const* values, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) result[offset + i] = values[i];
      });
  return result;
}

}  // namespace

TEST_CASE("sums are taken in rank order, over any number of blocks") {
  for (std::size_t const count : {0u, 1u, 1'023u, 1'024u, 1'025u, 5'000u}) {
    std::vector<std::vector<float>> const ranks{
        std::vector<float>(count, 1.0F), std::vector<float>(count, 1e8F), std::vector<float>(count, -1e8F)};
    CHECK(combined(weir::ReduceOp::sum, ranks) == std::vector<float>(count, (1.0F + 1e8F) + -1e8F));
  }
}

TEST_CASE("16-bit elements are summed in float and rounded once") {
  std::vector<std::vector<weir::bfloat16>> ranks(1'001, {weir::bfloat16(0.001F)});
  ranks[0] = {weir::bfloat16(1.0F)};
  float const expected = 1.0F + 1'000 * static_cast<float>(weir::bfloat16(0.001F));
  CHECK(static_cast<float>(combined(weir::ReduceOp::sum, ranks)[0]) ==
        doctest::Approx(expected).epsilon(0.004));
}

TEST_CASE("integer sums wrap, bits are joined, extremes keep a NaN from either side") {
  using Integers = std::vector<std::vector<std::int32_t>>;
  constexpr auto largest = std::numeric_limits<std::int32_t>::max();
  CHECK(combined(weir::ReduceOp::sum, Integers{{largest}, {1}})[0] ==
        std::numeric_limits<std::int32_t>::min());
  CHECK(combined(weir::ReduceOp::bit_or, Integers{{5}, {8}})[0] == 13);
  CHECK(combined(weir::ReduceOp::max, Integers{{5}, {8}, {-9}})[0] == 8);
  CHECK(combined(weir::ReduceOp::min, Integers{{5}, {8}, {-9}})[0] == -9);
  double const nan = std::numeric_limits<double>::quiet_NaN();
  using Reals = std::vector<std::vector<double>>;
  for (auto const op : {weir::ReduceOp::max, weir::ReduceOp::min}) {
    auto const result = combined(op, Reals{{nan, 1, 1}, {1, nan, 2}});
    CHECK(result[0] != result[0]);
    CHECK(result[1] != result[1]);
    CHECK(result[2] == (op == weir::ReduceOp::max ? 2 : 1));
  }
}
