#include "weir/mask/design/two_of_four.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/certificate.hpp"

using weir::TwoOfFour;

TEST_CASE("TwoOfFour: two of each four inputs, and loads that differ by at most 1") {
  for (std::size_t outputs = 1; outputs < 20; ++outputs) {
    CAPTURE(outputs);
    TwoOfFour const design(outputs, 12);
    CHECK(fault_of(design) == "");
    weir::DegreeRange const loads = weir::column_degrees(design);
    CHECK(loads.most - loads.least <= 1);
    for (std::size_t r = 0; r < outputs; ++r) {
      for (std::size_t slot = 0; slot < 6; ++slot) CHECK(design.column(r, slot) / 4 == slot / 2);
    }
  }
  static_assert(weir::certify(TwoOfFour(6, 4)) == weir::DesignParameters{4, 6, 3, 2, 1});
}

TEST_CASE("TwoOfFour: inputs that do not come in fours are refused") {
  CHECK_THROWS_WITH_AS(TwoOfFour(6, 10), "inputs 10: a multiple of 4 would be right (nearest: 8, 12)",
                       weir::ContractViolation);
  CHECK_THROWS_AS(TwoOfFour(6, 0), weir::ContractViolation);
}
