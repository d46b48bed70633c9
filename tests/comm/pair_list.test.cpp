#include "weir/comm/pair_list.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "weir/host/executor.hpp"

using weir::detail::PairList;
using weir::detail::PairRoom;

namespace {

struct Pairs {
  std::vector<std::uint32_t> indices;
  std::vector<float> values;
  PairList<float> list() const { return {indices.data(), values.data(), indices.size()}; }
};

Pairs random_pairs(std::mt19937& random, std::size_t slots, std::uint32_t one_in) {
  Pairs pairs;
  for (std::uint32_t i = 0; i < slots; ++i) {
    if (random() % one_in != 0) continue;
    pairs.indices.push_back(i);
    pairs.values.push_back(static_cast<float>(static_cast<int>(random() % 9) - 4));
  }
  return pairs;
}

}  // namespace

TEST_CASE("a room holds indices and values in whole words, one behind the other") {
  CHECK(PairRoom<float>::words(0) == 0);
  CHECK(PairRoom<float>::words(3) == 2 + 2);
  CHECK(PairRoom<double>::words(3) == 2 + 3);
  std::uint64_t memory[4] = {};
  PairRoom<float> const room(memory, 3);
  Pairs const pairs{{1, 5, 9}, {0.5F, -2.0F, 3.0F}};
  room.copy_from(pairs.list());
  CHECK(room.message().size() == 4);
  CHECK(room.list().indices[2] == 9);
  CHECK(room.list().values[1] == -2.0F);
  CHECK(static_cast<void*>(room.values()) == static_cast<void*>(memory + 2));
}

TEST_CASE("lists are summed one after another, also into a part of the bucket and by several threads") {
  weir::HostExecutor const executor{{.threads = 3}};
  std::mt19937 random(5);
  for (std::size_t const slots : {1u, 100u, 20'000u}) {
    std::vector<Pairs> of_rank;
    std::vector<float> expected(slots);
    for (std::size_t rank = 0; rank < 3; ++rank) {
      of_rank.push_back(random_pairs(random, slots, 3));
      for (std::size_t j = 0; j < of_rank[rank].indices.size(); ++j)
        expected[of_rank[rank].indices[j]] += of_rank[rank].values[j];
    }
    for (std::size_t const first : {std::size_t{0}, slots / 3}) {
      std::vector<PairList<float>> lists;
      for (auto const& rank : of_rank) lists.push_back(rank.list());
      std::size_t const size = slots - first - slots / 7;
      std::vector<float> out(size + 1, 7.0F);
      weir::detail::sum_lists(executor, lists, weir::TensorView<float, weir::HostSpace>(out.data(), size),
                              first);
      CHECK(out.back() == 7.0F);
      out.pop_back();
      CHECK(std::equal(out.begin(), out.end(), expected.begin() + static_cast<std::ptrdiff_t>(first)));
    }
  }
}

TEST_CASE("merging keeps every slot once, in order, left before right") {
  Pairs const left{{1, 4, 7}, {1.0F, 2.0F, 3.0F}};
  Pairs const right{{0, 4, 9}, {10.0F, -2.0F, 30.0F}};
  std::uint32_t indices[6];
  float values[6];
  REQUIRE(weir::detail::merge_lists(left.list(), right.list(), indices, values) == 5);
  CHECK(std::vector<std::uint32_t>(indices, indices + 5) == std::vector<std::uint32_t>{0, 1, 4, 7, 9});
  CHECK(std::vector<float>(values, values + 5) == std::vector<float>{10, 1, 0, 3, 30});
  CHECK(weir::detail::merge_lists(left.list(), PairList<float>{}, indices, values) == 3);
  CHECK(weir::detail::merge_lists(PairList<float>{}, PairList<float>{}, indices, values) == 0);
}

TEST_CASE("the largest are those of a stable sort, NaN first") {
  std::mt19937 random(7);
  for (int repetition = 0; repetition < 60; ++repetition) {
    auto pairs = random_pairs(random, 90, 2);
    if (repetition % 3 == 0 && !pairs.values.empty())
      pairs.values[0] = std::numeric_limits<float>::quiet_NaN();
    std::size_t const count = pairs.indices.size();
    std::size_t const k = random() % (count + 3);
    std::vector<std::size_t> order(count);
    for (std::size_t j = 0; j < count; ++j) order[j] = j;
    auto const key = [&](std::size_t j) {
      return std::isnan(pairs.values[j]) ? std::numeric_limits<float>::infinity() : std::abs(pairs.values[j]);
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return key(a) > key(b); });
    order.resize(std::min(k, count));
    std::vector<std::uint32_t> expected;
    for (std::size_t const j : order) expected.push_back(pairs.indices[j]);
    std::sort(expected.begin(), expected.end());
    std::size_t const kept = weir::detail::keep_largest(pairs.indices.data(), pairs.values.data(), count, k);
    pairs.indices.resize(kept);
    CHECK(pairs.indices == expected);
  }
  std::vector<double> const values{0.5, -3.0, 2.0, 3.0};
  CHECK(weir::detail::largest_magnitude(values.data(), 4, 3) == weir::detail::magnitude_bits(2.0));
}

TEST_CASE("what is not marked goes back to the residual") {
  Pairs const pairs{{0, 2, 3}, {1.0F, 2.0F, 4.0F}};
  std::uint64_t word = 0;
  weir::detail::PairMarks const marks(&word);
  marks.set(1, true);
  marks.set(2, true);
  marks.set(2, false);
  CHECK((!marks[0] && marks[1] && !marks[2]));
  float residual[4] = {0.0F, 0.0F, 0.0F, 0.5F};
  weir::detail::give_back(pairs.list(), marks, residual);
  CHECK(residual[0] == 1.0F);
  CHECK(residual[2] == 0.0F);
  CHECK(residual[3] == 4.5F);
  weir::detail::give_back(pairs.list(), marks, static_cast<float*>(nullptr));
  Pairs const odd{{0, 2}, {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}};
  weir::detail::give_back(odd.list(), marks, residual);
  CHECK(residual[0] == 1.0F);
  CHECK(weir::detail::PairMarks::words(64) == 1);
  CHECK(weir::detail::PairMarks::words(65) == 2);
}

TEST_CASE("the indices below a bound are counted") {
  std::uint32_t const indices[] = {2, 5, 9};
  for (std::size_t bound = 0; bound < 12; ++bound) {
    std::size_t const expected = (bound > 2) + (bound > 5) + (bound > 9);
    CHECK(weir::detail::count_below(indices, 3, bound) == expected);
  }
  CHECK(weir::detail::count_below(nullptr, 0, 5) == 0);
}

TEST_CASE("values that are not 0 become pairs") {
  std::vector<float> values{0.0F, -1.0F, 0.0F, 2.0F, -0.0F};
  REQUIRE(weir::detail::count_non_zero(weir::view(values)) == 2);
  std::uint64_t memory[2] = {};
  PairRoom<float> const room(memory, 2);
  weir::detail::collect_non_zero(weir::view(values), 10, room);
  CHECK(room.indices()[0] == 11);
  CHECK(room.indices()[1] == 13);
  CHECK(room.values()[0] == -1.0F);
  CHECK(room.values()[1] == 2.0F);
}
