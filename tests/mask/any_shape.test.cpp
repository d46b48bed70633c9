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

TEST_CASE("group_for_row_degree: exact where a group size allows it, else by density") {
  for (std::size_t degree = 1; degree < 96; ++degree) {
    GroupChoice const choice = weir::group_for_row_degree(64, 96, degree, 96);
    CAPTURE(degree);
    bool const is_exact = degree * choice.group == choice.levels * 96u && 96 % choice.group == 0;
    CHECK((is_exact == (degree % 3 == 0)));  // n divides 32 only
    if (!is_exact) CHECK(choice == weir::group_for_density(64, 96, static_cast<double>(degree) / 96));
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
