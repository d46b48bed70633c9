#include "weir/mask/fixed_family.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/certificate.hpp"

namespace {

using weir::FamilyParameters;
using weir::make_fixed_design;

void check_refused(std::string const& name, FamilyParameters const& given, std::string const& text) {
  CAPTURE(name);
  CHECK_THROWS_WITH_AS(make_fixed_design(name, given), text.c_str(), weir::ContractViolation);
}

}  // namespace

TEST_CASE("make_fixed_design: every family has the parameters it says, and so have its copies") {
  struct {
    char const* name;
    FamilyParameters given;
  } const members[] = {{"affine-plane", {4}},
                       {"projective-plane", {5}},
                       {"affine-geometry", {3, 3}},
                       {"projective-geometry", {2, 3}},
                       {"steiner-triple", {0, 0, 13}},
                       {"paley", {11}},
                       {"paley", {27}},
                       {"twin-prime", {3}},
                       {"twin-prime", {7}},
                       {"quartic-residue", {37}},
                       {"complement-of:paley", {11}},
                       {"complement-of:affine-plane", {4}},
                       {"derived-of:paley", {11}},
                       {"residual-of:projective-plane", {4}},
                       {"complement-of:residual-of:paley", {11}},
                       {"residual-of:complement-of:projective-plane", {3}}};
  for (auto const& member : members) {
    CAPTURE(member.name);
    weir::FixedDesign const made = make_fixed_design(member.name, member.given);
    CHECK(weir::certify(made.design) == made.parameters);
    weir::FixedDesign const copy = make_fixed_design(member.name, member.given, 5);
    CHECK(weir::certify(copy.design) == made.parameters);
    CHECK(matrix_of(copy.design) != matrix_of(made.design));
  }
}

TEST_CASE("make_fixed_design: cyclic families stay free of indices") {
  CHECK(make_fixed_design("projective-plane", {31}, 12345).design.table_bytes() == 4 * 32);
  CHECK(make_fixed_design("paley", {127}, 3).design.table_bytes() == 4 * 63);
  CHECK(make_fixed_design("complement-of:paley", {127}, 3).design.table_bytes() == 4 * 64);
  CHECK(make_fixed_design("twin-prime", {17}, 7).design.table_bytes() == 4 * 161);
}

TEST_CASE("make_fixed_design: what there is not is refused") {
  check_refused("paley", {}, "order: it is missing; family paley needs it");
  check_refused("steiner-triple", {}, "inputs: they are missing; family steiner-triple needs them");
  check_refused("affine-plane", {4, 3}, "dimension 3: a plane has 2");
  check_refused(
      "derived-of:projective-plane", {4},
      "family derived-of:projective-plane: the design has lambda 1; one with at least 2 would be right");
  check_refused("residual-of:affine-plane", {4},
                "family residual-of:affine-plane: the design has 20 outputs and 16 inputs; a symmetric one, "
                "with as many, "
                "would be right");
  check_refused("complement-of:quadratic", {4},
                "family complement-of:quadratic: one of affine-plane, projective-plane, affine-geometry, "
                "projective-geometry, steiner-triple, paley, twin-prime, quartic-residue would be right");
}
