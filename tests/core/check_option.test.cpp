#include "weir/core/check_option.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <limits>

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("An option that is refused is named, with its value and what would be right") {
  CHECK_NOTHROW(weir::detail::check_option(true, "Stage", "size", 2.5, "even"));
  CHECK_THROWS_WITH_AS(weir::detail::check_option(false, "Stage", "size", 2.5, "even"),
                       "Stage: size is 2.500000, it has to be even", weir::ContractViolation);
}

TEST_CASE("Rates are finite and not negative, scales above 0, what remembers is below 1") {
  for (double right : {0.0, 0.5, 1e-300}) {
    CHECK_NOTHROW(weir::detail::check_not_negative("Stage", "rate", right));
    CHECK_NOTHROW(weir::detail::check_memory("Stage", "beta", right));
  }
  CHECK_NOTHROW(weir::detail::check_not_negative("Stage", "rate", 1e300));
  for (double wrong : {-1e-300, -1.0, nan, infinity, -infinity}) {
    CHECK_THROWS_AS(weir::detail::check_not_negative("Stage", "rate", wrong), weir::ContractViolation);
    CHECK_THROWS_AS(weir::detail::check_positive("Stage", "scale", wrong), weir::ContractViolation);
    CHECK_THROWS_AS(weir::detail::check_memory("Stage", "beta", wrong), weir::ContractViolation);
  }
  CHECK_THROWS_AS(weir::detail::check_memory("Stage", "beta", 1.0), weir::ContractViolation);
  CHECK_THROWS_AS(weir::detail::check_positive("Stage", "scale", 0.0), weir::ContractViolation);
  CHECK_NOTHROW(weir::detail::check_positive("Stage", "scale", 1e-300));
}
