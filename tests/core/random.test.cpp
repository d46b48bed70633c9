#include "weir/core/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <vector>

#include "special_samples.hpp"
#include "weir/core/error.hpp"

namespace {

using weir::RandomStream;
using weir::RandomWords;

static_assert(weir::philox({{0, 0, 0, 0}}, 0) ==
              RandomWords{{0x6627'e8d5, 0xe169'c58d, 0xbc57'ac4c, 0x9b00'dbd8}});
static_assert(RandomStream{.seed = 42, .step = 7, .micro_batch = 3, .site = 11}(0) ==
              RandomWords{{0xc280'613a, 0x0e27'bad1, 0x7923'd446, 0xe26c'0659}});

/// Sum of (seen - expected)^2 / expected over equally likely cells.
double chi_squared(std::vector<std::size_t> const& seen) {
  double const total = static_cast<double>(std::accumulate(seen.begin(), seen.end(), std::size_t{0}));
  double const expected = total / static_cast<double>(seen.size());
  double sum = 0;
  for (std::size_t count : seen)
    sum += (static_cast<double>(count) - expected) * (static_cast<double>(count) - expected);
  return sum / expected;
}

/// What chi squared exceeds once in about 30,000 times (four standard deviations, Wilson and Hilferty).
double chi_squared_limit(std::size_t cells) {
  double const freedom = static_cast<double>(cells - 1);
  double const term = 1 - 2 / (9 * freedom) + 4 * std::sqrt(2 / (9 * freedom));
  return freedom * term * term * term;
}

std::vector<std::uint32_t> permuted(std::uint64_t seed, std::uint32_t epoch, std::size_t size) {
  std::vector<std::uint32_t> order(size);
  weir::permutation(seed, epoch, std::span{order});
  return order;
}

}  // namespace

TEST_CASE("Philox gives the published values") {
  std::uint32_t const all = 0xffff'ffff;
  CHECK(weir::philox({{all, all, all, all}}, ~std::uint64_t{0}) ==
        RandomWords{{0x408f'276d, 0x41c8'3b0e, 0xa20b'c7c6, 0x6d54'51fd}});
  CHECK(weir::philox({{0x243f'6a88, 0x85a3'08d3, 0x1319'8a2e, 0x0370'7344}}, 0x299f'31d0'a409'3822) ==
        RandomWords{{0xd16c'fe09, 0x94fd'cceb, 0x5001'e420, 0x2412'6ea1}});
  RandomStream const stream{.seed = 42, .step = 7, .micro_batch = 3, .site = 11};
  CHECK(stream(0)[0] == 0xc280'613a);
}

TEST_CASE("element i is word i % 4 of draw i / 4, so a loop may take four at a time") {
  RandomStream const stream{.seed = 5, .step = 2, .micro_batch = 1, .site = 9};
  for (std::uint32_t i = 0; i < 100; ++i) {
    CHECK(stream.word(i) == stream(i / 4)[i % 4]);
    CHECK(stream.uniform(i) == RandomStream::uniform_from(stream(i / 4)[i % 4]));
    CHECK(stream.normal(i) == RandomStream::normal_from(stream(i / 4)[i % 4]));
  }
}

TEST_CASE("each part of the key changes the stream") {
  RandomStream const stream{.seed = 1, .step = 1, .micro_batch = 1, .site = 1};
  for (RandomStream const& other :
       {RandomStream{2, 1, 1, 1}, RandomStream{1 + (std::uint64_t{1} << 32), 1, 1, 1},
        RandomStream{1, 2, 1, 1}, RandomStream{1, 1, 2, 1}, RandomStream{1, 1, 1, 2}}) {
    CHECK_FALSE(stream(0) == other(0));
  }
}

TEST_CASE("uniform numbers are below one, multiples of 2^-24, and evenly spread") {
  CHECK(RandomStream::uniform_from(0) == 0.0f);
  CHECK(RandomStream::uniform_from(0xffff'ffff) == 1 - 0x1p-24f);
  RandomStream const stream{.seed = 17};
  std::vector<std::size_t> cells(128);
  std::vector<std::size_t> neighbours(256);
  std::size_t last = 0;
  for (std::size_t i = 0; i < 400'000; ++i) {
    float const value = stream.uniform(i);
    REQUIRE(value * 0x1p24f == std::floor(value * 0x1p24f));
    ++cells[static_cast<std::size_t>(value * 128)];
    std::size_t const now = static_cast<std::size_t>(value * 16);
    if (i % 2 == 1) ++neighbours[16 * last + now];
    last = now;
  }
  CHECK(chi_squared(cells) < chi_squared_limit(cells.size()));
  CHECK(chi_squared(neighbours) < chi_squared_limit(neighbours.size()));
}

TEST_CASE("normal numbers have the moments and the quantiles of the normal distribution") {
  RandomStream const stream{.seed = 23, .step = 1};
  std::size_t const count = 400'000;
  double moments[4] = {};
  std::vector<std::size_t> cells(64);
  for (std::size_t i = 0; i < count; ++i) {
    double const x = static_cast<double>(stream.normal(i));
    double power = 1;
    for (double& moment : moments) moment += (power *= x) / static_cast<double>(count);
    double const p = std::erfc(-x / std::sqrt(2.0)) / 2;
    ++cells[std::min<std::size_t>(63, static_cast<std::size_t>(p * 64))];
  }
  double const spread = 4 / std::sqrt(static_cast<double>(count));  // four standard errors of a unit variable
  CHECK(std::abs(moments[0]) < spread);
  CHECK(std::abs(moments[1] - 1) < spread * std::sqrt(2.0));
  CHECK(std::abs(moments[2]) < spread * std::sqrt(15.0));
  CHECK(std::abs(moments[3] - 3) < spread * std::sqrt(96.0));
  CHECK(chi_squared(cells) < chi_squared_limit(cells.size()));
}

TEST_CASE("every word gives a finite normal number, and opposite words opposite ones") {
  for (std::uint32_t word : {0u, 1u, 1000u, 0x7fff'ffffu}) {
    CHECK(std::isfinite(RandomStream::normal_from(word)));
    CHECK(RandomStream::normal_from(word) == -RandomStream::normal_from(~word));
  }
  CHECK(RandomStream::normal_from(0) == doctest::Approx(-6.338f).epsilon(1e-3));
}

TEST_CASE("whole numbers below a bound are evenly spread") {
  for (std::uint32_t bound : {1u, 2u, 3u, 7u, 100u, 1'000u}) {
    weir::detail::WordSequence words{{.seed = bound}};
    std::vector<std::size_t> cells(bound);
    for (int i = 0; i < 200'000; ++i) ++cells.at(words.below(bound));
    if (bound > 1) CHECK(chi_squared(cells) < chi_squared_limit(bound));
  }
  // Without rejection this bound would give its lower third twice as often as the rest.
  std::uint32_t const large = 0xc000'0000;
  weir::detail::WordSequence words{{.seed = 3}};
  std::vector<std::size_t> thirds(3);
  for (int i = 0; i < 100'000; ++i) ++thirds.at(words.below(large) % 3);
  CHECK(chi_squared(thirds) < chi_squared_limit(3));
}

TEST_CASE("a permutation holds every index once and depends on seed and epoch only") {
  for (std::size_t size : {0u, 1u, 2u, 3u, 10u, 1'437u}) {
    std::vector<std::uint32_t> order = permuted(7, 3, size);
    std::vector<std::size_t> wide(size);
    weir::permutation(7, 3, std::span{wide});
    CHECK(std::equal(order.begin(), order.end(), wide.begin(), wide.end()));
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < size; ++i) REQUIRE(order[i] == i);
  }
  CHECK(permuted(7, 3, 100) == permuted(7, 3, 100));
  CHECK(permuted(7, 3, 100) != permuted(8, 3, 100));
  CHECK(permuted(7, 3, 100) != permuted(7, 4, 100));
}

TEST_CASE("all orders of four entries are equally likely") {
  std::map<std::vector<std::uint32_t>, std::size_t> seen;
  for (std::uint32_t epoch = 0; epoch < 48'000; ++epoch) ++seen[permuted(1, epoch, 4)];
  std::vector<std::size_t> cells;
  for (auto const& [order, count] : seen) cells.push_back(count);
  REQUIRE(cells.size() == 24);
  CHECK(chi_squared(cells) < chi_squared_limit(24));
}

// The values are those of another implementation, in Python, of the published algorithms.
TEST_CASE("a permutation has the values that were written down, also where the compiler computes it") {
  constexpr auto order = [] {
    std::array<std::uint8_t, 8> out{};
    weir::permutation(42, 0, std::span<std::uint8_t>{out});
    return out;
  }();
  static_assert(order == std::array<std::uint8_t, 8>{2, 6, 0, 3, 4, 7, 1, 5});
  CHECK(permuted(42, 0, 8) == std::vector<std::uint32_t>{2, 6, 0, 3, 4, 7, 1, 5});

  // Long enough that two words are passed over, so that no entry is favoured. FNV-1a of the entries' bytes,
  // low first.
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (std::uint32_t entry : permuted(0x1234'5678'90ab'cdef, 8, 100'003)) {
    for (unsigned shift : {0u, 8u, 16u, 24u}) hash = (hash ^ (entry >> shift & 0xff)) * 0x100'0000'01b3;
  }
  CHECK(hash == 0x1aa3'ecbf'353e'11c5);
}

TEST_CASE("a permutation refuses entries that its element type cannot hold") {
  std::vector<std::uint8_t> order(257);
  CHECK_THROWS_AS(weir::permutation(1, 0, std::span{order}), weir::ContractViolation);
  order.resize(256);
  CHECK_NOTHROW(weir::permutation(1, 0, std::span{order}));
}

TEST_CASE("the bits of the normal numbers are the ones that were written down") {
  std::size_t element = 0;
  RandomStream const stream{.seed = 99};
  CHECK(samples::hash([&](double) { return static_cast<double>(stream.normal(element++)); },
                      samples::probability) == samples::random_normal);
}
