#include "weir/mask/design/developed.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"

namespace {

using weir::DevelopedDesign;
using weir::FieldAddition;
using weir::GaloisField;
using weir::PairAddition;

}  // namespace

TEST_CASE("DevelopedDesign: any set of a group gives a design with an inverse") {
  CHECK(fault_of(DevelopedDesign(FieldAddition{GaloisField(8)}, {0, 3, 5})) == "");
  CHECK(fault_of(DevelopedDesign(FieldAddition{GaloisField(27)}, {1, 2, 13, 26})) == "");
  CHECK(fault_of(DevelopedDesign(PairAddition{GaloisField(4), GaloisField(9)}, {0, 5, 17, 35})) == "");
}

TEST_CASE("PairAddition: both parts are added on their own") {
  PairAddition const pairs{GaloisField(4), GaloisField(9)};
  CHECK(pairs.order() == 36);
  CHECK(pairs.add(3 * 9 + 8, 1 * 9 + 4) == 2 * 9 + 0);  // 3 xor 1; 22 + 11 to the base 3
  CHECK(pairs.subtract(2 * 9 + 0, 1 * 9 + 4) == 3 * 9 + 8);
}

TEST_CASE("DevelopedDesign: a set that is none of the group is refused") {
  CHECK_THROWS_AS(DevelopedDesign(FieldAddition{GaloisField(8)}, {0, 8}), weir::ContractViolation);
  CHECK_THROWS_AS(DevelopedDesign(FieldAddition{GaloisField(8)}, {3, 3}), weir::ContractViolation);
}
