#include "weir/mask/any_shape.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace {

using weir::GroupChoice;

static_assert(weir::group_for_density(512, 512, 0.1) == GroupChoice{32, 3});
static_assert(weir::group_for_density(512, 512, 0.3) == GroupChoice{16, 5});
static_assert(weir::group_for_density(64, 64, 0.75) == GroupChoice{4, 3});
static_assert(weir::group_for_row_degree(512, 512, 48, 512) == GroupChoice{32, 3});
static_assert(weir::group_for_row_degree(18, 18, 8, 18) == GroupChoice{2, 1});  // exactly an eighth off
static_assert(weir::group_for_row_degree(64, 96, 32, 96) == GroupChoice{8, 3});
static_assert(weir::group_for_row_degree(64, 96, 96, 96) == GroupChoice{1, 1});
static_assert(weir::detail::RowShare{8, 18}.is_near(1, 2));
static_assert(!weir::detail::RowShare{8, 17}.is_near(1, 3));
static_assert(weir::detail::RowShare{0xffff'ffff, 0xffff'ffff}.is_near(0xffff'fffe, 0xffff'ffff));
static_assert(weir::default_group(42, 36) == GroupChoice{4, 1});
static_assert(weir::default_group(16, 784) == GroupChoice{16, 1});
static_assert(weir::default_group(512, 512) == GroupChoice{16, 1});
static_assert(weir::default_group(1, 1) == GroupChoice{1, 1});

}  // namespace

TEST_CASE("group_for_density: a full matrix where all or one side is asked for") {
  CHECK(weir::group_for_density(512, 512, 1) == GroupChoice{1, 1});
  CHECK(weir::group_for_density(1, 512, 0.1) == GroupChoice{1, 1});
  CHECK(weir::group_for_density(512, 1, 0.1) == GroupChoice{1, 1});
}

TEST_CASE("group_for_density: no other choice in range is nearer, unless one within an eighth came first") {
  for (std::size_t side : {2u, 3u, 31u, 300u, 5000u}) {
    for (double density = 0.001; density < 1; density += 0.0137) {
      GroupChoice const choice = weir::group_for_density(side, 4000, density);
      double const error = std::fabs(double(choice.levels) / choice.group - density);
      for (std::uint32_t n = 2; n <= 256 && n <= side; n *= 2) {
        for (std::uint32_t m = 1; m < n; ++m) {
          double const other = std::fabs(double(m) / n - density);
          bool const is_allowed = other >= error || (error <= density / 8 && choice.group < n);
          CHECK(is_allowed);
        }
      }
    }
  }
}

namespace {

/// The density rule in whole numbers: |m/n - K/V| <= K/V / 8 is 8 |mV - Kn| <= Kn.
GroupChoice by_whole_numbers(std::uint64_t largest, std::uint64_t degree, std::uint64_t inputs) {
  GroupChoice best;
  std::uint64_t least = ~std::uint64_t{0};
  for (std::uint32_t n = 2; n <= largest; n *= 2) {
    std::uint64_t m = (2 * degree * n + inputs) / (2 * inputs);
    m = m < 1 ? 1 : m > n - 1 ? n - 1 : m;
    std::uint64_t const error = m * inputs < degree * n ? degree * n - m * inputs : m * inputs - degree * n;
    GroupChoice const choice = {n, static_cast<std::uint32_t>(m)};
    if (8 * error <= degree * n) return choice;
    if (error * (largest / n) < least) {
      best = choice;
      least = error * (largest / n);
    }
  }
  return best;
}

}  // namespace

TEST_CASE("group_for_row_degree: exact where a group size allows it, else by density") {
  for (std::size_t degree = 1; degree < 96; ++degree) {
    GroupChoice const choice = weir::group_for_row_degree(64, 96, degree, 96);
    CAPTURE(degree);
    bool const is_exact = degree * choice.group == choice.levels * 96u && 96 % choice.group == 0;
    CHECK((is_exact == (degree % 3 == 0)));  // n divides 32 only
    if (!is_exact) CHECK(choice == by_whole_numbers(64, degree, 96));
  }
  for (std::size_t inputs = 2; inputs < 200; ++inputs) {
    for (std::size_t degree = 1; degree < inputs; ++degree) {
      GroupChoice const choice = weir::group_for_row_degree(256, inputs, degree, inputs);
      std::size_t largest = 2;
      while (largest * 2 <= inputs) largest *= 2;
      bool const is_exact = degree * choice.group == choice.levels * inputs && inputs % choice.group == 0;
      CAPTURE(inputs);
      CAPTURE(degree);
      if (!is_exact) REQUIRE(choice == by_whole_numbers(largest, degree, inputs));
    }
  }
}

TEST_CASE("the rules refuse what no mask has") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(weir::group_for_density(0, 5, 0.5), "outputs 0: a mask has at least 1",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::group_for_density(5, 0, 0.5), "inputs 0: a mask has at least 1",
                       weir::ContractViolation);
  CHECK_THROWS_AS(weir::group_for_density(5, 5, 0), weir::ContractViolation);
  CHECK_THROWS_AS(weir::group_for_density(5, 5, 1.01), weir::ContractViolation);
  CHECK_THROWS_AS(weir::group_for_density(5, 5, nan), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::group_for_row_degree(5, 7, 8, 7),
                       "row-degree 8: from 1 to 7, the inputs, would be right", weir::ContractViolation);
}
