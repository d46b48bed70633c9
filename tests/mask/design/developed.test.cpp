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

TEST_CASE("DevelopedDesign: tables take 4 bytes per element of the set") {
  CHECK(DevelopedDesign(FieldAddition{GaloisField(27)}, {1, 2, 13, 26}).table_bytes() == 16);
}

TEST_CASE("DevelopedDesign: a set that is none of the group is refused") {
  CHECK_THROWS_AS(DevelopedDesign(FieldAddition{GaloisField(8)}, {0, 8}), weir::ContractViolation);
  CHECK_THROWS_AS(DevelopedDesign(FieldAddition{GaloisField(8)}, {3, 3}), weir::ContractViolation);
}
