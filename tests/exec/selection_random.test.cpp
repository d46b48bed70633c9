#include "weir/exec/selection_random.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <vector>

namespace {

/// Whether counts of equally likely outcomes, ten of them, are plausible: chi-square below its 0.99
/// quantile.
bool is_uniform(std::vector<std::uint64_t> const& counts) {
  double all = 0.0;
  for (auto const count : counts) all += static_cast<double>(count);
  double const expected = all / 10.0;
  double chi_square = 0.0;
  for (auto const count : counts)
    chi_square += std::pow(static_cast<double>(count) - expected, 2.0) / expected;
  return chi_square < 21.67;
}

}  // namespace

TEST_CASE("a permutation takes every slot once, whatever the size and the key") {
  for (std::uint64_t const size : {1u, 2u, 3u, 16u, 17u, 255u, 256u, 1000u, 4097u}) {
    weir::SlotPermutation const permutation({size, 7, 3}, size);
    std::vector<bool> taken(size, false);
    for (std::uint64_t i = 0; i < size; ++i) {
      std::uint64_t const slot = permutation(i);
      REQUIRE(slot < size);
      CHECK(!taken[slot]);
      taken[slot] = true;
    }
  }
}

TEST_CASE("seed, bucket and step each make another permutation") {
  auto const first = [](weir::SelectionKey const& key) {
    weir::SlotPermutation const permutation(key, 1000000);
    std::vector<std::uint64_t> slots;
    for (std::uint64_t i = 0; i < 8; ++i) slots.push_back(permutation(i));
    return slots;
  };
  CHECK(first({1, 2, 3}) == first({1, 2, 3}));
  CHECK(first({2, 2, 3}) != first({1, 2, 3}));
  CHECK(first({1, 3, 3}) != first({1, 2, 3}));
  CHECK(first({1, 2, 4}) != first({1, 2, 3}));
  CHECK(first({1, 2, 3 + (std::uint64_t{1} << 32)}) != first({1, 2, 3}));
}

TEST_CASE("the first slots of permutations prefer no place") {
  std::vector<std::uint64_t> deciles(10, 0);
  for (std::uint64_t step = 0; step < 200; ++step) {
    weir::SlotPermutation const permutation({11, 1, step}, 30000);
    for (std::uint64_t i = 0; i < 300; ++i) ++deciles[permutation(i) / 3000];
  }
  CHECK(is_uniform(deciles));
}

TEST_CASE("a sample takes one slot of each stride, at any place in it") {
  std::vector<std::uint64_t> places(10, 0);
  for (std::uint64_t step = 0; step < 20; ++step) {
    for (std::size_t i = 0; i < 1000; ++i) {
      std::size_t const slot = weir::sampled_slot({5, 6, step}, 50007, 1000, i);
      REQUIRE(slot / 50 == i);
      ++places[slot % 50 / 5];
    }
  }
  CHECK(is_uniform(places));
}

TEST_CASE("the largest sample is a percent, or two divided by the density, and never more than there is") {
  CHECK(weir::most_samples(1000000, 0.1) >= 10000);
  CHECK(weir::most_samples(1000000, 0.1) <= 10001);
  CHECK(weir::most_samples(100000, 0.001) >= 2000);
  CHECK(weir::most_samples(100000, 0.001) <= 2001);
  CHECK(weir::most_samples(1000, 0.001) == 1000);
  CHECK(weir::most_samples(0, 0.5) == 0);
}
