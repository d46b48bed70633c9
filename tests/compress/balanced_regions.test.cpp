#include "weir/compress/balanced_regions.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace {

using Slots = std::vector<std::vector<std::uint32_t>>;

std::vector<std::size_t> boundaries_of(Slots const& of_rank, std::size_t elements) {
  std::size_t const ranks = of_rank.size();
  std::vector<std::uint64_t> all;
  weir::detail::BalancedRegions regions(ranks);
  for (auto const& slots : of_rank) {
    auto const words = regions.describe(weir::detail::PairList<float>{slots.data(), nullptr, slots.size()});
    CHECK(words.size() == ranks + 1);
    all.insert(all.end(), words.begin(), words.end());
  }
  auto const cut = regions.cut(all, elements);
  return {cut.begin(), cut.end()};
}

/// At most twice what each region would have if all were equal, and the pairs of one slot.
void check_balance(Slots const& of_rank, std::size_t elements) {
  auto const boundaries = boundaries_of(of_rank, elements);
  std::size_t total = 0;
  std::size_t capacity = 0;
  for (auto const& slots : of_rank) {
    total += slots.size();
    capacity = std::max(capacity, slots.size());
  }
  CHECK(boundaries.front() == 0);
  CHECK(boundaries.back() == elements);
  CHECK(std::is_sorted(boundaries.begin(), boundaries.end()));
  for (std::size_t region = 0; region < of_rank.size(); ++region) {
    std::size_t pairs = 0;
    for (auto const& slots : of_rank) {
      for (std::uint32_t const slot : slots)
        pairs += slot >= boundaries[region] && slot < boundaries[region + 1] ? 1 : 0;
    }
    CHECK(pairs <= 2 * total / of_rank.size() + 3 * of_rank.size());
    CHECK(pairs <= weir::detail::BalancedRegions::most_pairs(capacity, of_rank.size()));
  }
}

}  // namespace

TEST_CASE("no region has more than twice its share, for all kinds of slots") {
  std::mt19937 random(3);
  for (std::size_t ranks = 1; ranks <= 9; ++ranks) {
    for (int kind = 0; kind < 4; ++kind) {
      Slots of_rank(ranks);
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        std::size_t const count = kind == 3 ? rank * rank * 7 : 200;
        for (std::size_t j = 0; j < count; ++j) {
          std::size_t const slot = kind == 0   ? 10 * j
                                   : kind == 1 ? 1'000 * rank + j
                                   : kind == 2 ? random() % (j + 1) * 40
                                               : random() % 10'000;
          of_rank[rank].push_back(static_cast<std::uint32_t>(slot));
        }
        std::sort(of_rank[rank].begin(), of_rank[rank].end());
        of_rank[rank].erase(std::unique(of_rank[rank].begin(), of_rank[rank].end()), of_rank[rank].end());
      }
      check_balance(of_rank, 10'000);
    }
  }
}

TEST_CASE("equal ranks get equal regions, and nothing at all is cut somewhere") {
  Slots const same(4, {0, 10, 20, 30, 40, 50, 60, 70});
  CHECK(boundaries_of(same, 80) == std::vector<std::size_t>{0, 20, 40, 60, 80});
  check_balance(Slots(3), 5);
  check_balance(Slots{{}, {4}, {}}, 5);
}
