#include "weir/mask/fixed_family.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fault/sanitizers.hpp"
#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/feasibility.hpp"

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
                       {"quartic-residue", {13}},
                       {"quartic-residue", {37}},
                       {"residual-of:steiner-triple", {0, 0, 7}},
                       {"derived-of:complement-of:steiner-triple", {0, 0, 7}},
                       {"residual-of:complement-of:steiner-triple", {0, 0, 7}},
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

namespace {

/// AddressSanitizer makes this 40 times as slow.
constexpr std::uint64_t most_inputs = UNDER_ADDRESS_SANITIZER ? 150 : 1'100;

/// Counts members with at most so many inputs whose certificate is what they claim, and that are known to
/// exist, of a family and of what is made from it.
struct Census {
  std::size_t members = 0;

  void add(std::string const& name, FamilyParameters const& given) {
    CAPTURE(name);
    CAPTURE(given.order);
    CAPTURE(given.dimension);
    CAPTURE(given.inputs);
    weir::DesignParameters const p = weir::family_shape(name, given).parameters;
    if (p.v <= most_inputs) {
      check(make_fixed_design(name, given), name);
      // Their entries are written out. Of triple systems with more than 240 inputs, whose complements
      // together have 10^10 and whose own formula is checked above, those of a few are.
      std::uint64_t const size = p.b * p.v;
      if (size > 2'300'000 && (p.v % 90 != 1 || size > 20'000'000)) return;
      bool const has_complement = p.v - p.k >= 2 && p.b - 2 * p.r + p.lambda > 0;
      check_if(has_complement, "complement-of:" + name, given);
    }
    bool const is_symmetric = p.v == p.b;
    bool const has_residual = is_symmetric && p.v - p.k >= 3;
    if (p.k <= most_inputs) check_if(is_symmetric && p.lambda >= 2, "derived-of:" + name, given);
    if (p.v - p.k > most_inputs) return;
    check_if(has_residual, "residual-of:" + name, given);
    if (!has_residual || p.v > most_inputs) return;
    weir::DesignParameters const r = weir::family_shape("residual-of:" + name, given).parameters;
    check_if(r.v - r.k >= 2 && r.b - 2 * r.r + r.lambda > 0, "complement-of:residual-of:" + name, given);
  }

 private:
  void check(weir::FixedDesign const& made, std::string const& name) {
    auto const [v, b, r, k, lambda] = made.parameters;
    bool const is_right = weir::certify(made.design) == made.parameters && b * k == v * r &&
                          lambda * (v - 1) == r * (k - 1) && b >= v && lambda >= 1;
    CAPTURE(name);
    REQUIRE(is_right);
    weir::Feasibility const known = weir::feasibility(made.parameters);
    CAPTURE(known.reason);
    CHECK(known.verdict == weir::Verdict::exists);
    CHECK(!known.reason.empty());
    ++members;
  }
  void check_if(bool exists, std::string const& name, FamilyParameters const& given) {
    if (exists) return check(make_fixed_design(name, given), name);
    CAPTURE(name);
    CHECK_THROWS_AS(make_fixed_design(name, given), weir::ContractViolation);
  }
};

}  // namespace

TEST_CASE(
    "make_fixed_design: every member of every family with at most 1,100 inputs is what it claims, and "
    "feasible") {
  Census census;
  // A derived design has a fourth of its design's inputs, or more, a residual one half, or more.
  for (std::uint64_t q = 2; q <= 4 * most_inputs; ++q) {
    if (weir::is_paley_order(q) && q <= 2 * most_inputs + 1) census.add("paley", {q});
    if (weir::is_quartic_order(q)) census.add("quartic-residue", {q});
    if (weir::is_twin_order(q) && q * (q + 2) <= 2 * most_inputs + 1) census.add("twin-prime", {q});
    if (!weir::prime_power(q)) continue;
    std::uint64_t affine = q;  // q^n, inputs of a residual of the projective geometry, too
    for (std::uint64_t n = 2; affine * q <= most_inputs; ++n) {
      affine *= q;
      if (n == 2) census.add("affine-plane", {q});
      census.add("affine-geometry", {q, n});
      if (n == 2) census.add("projective-plane", {q});
      census.add("projective-geometry", {q, n});
    }
  }
  for (std::uint64_t v = 7; v <= most_inputs; ++v) {
    if (v % 6 == 1 || v % 6 == 3) census.add("steiner-triple", {0, 0, v});
  }
  CHECK(census.members > (most_inputs == 1'100 ? 1'500 : 150));
}

TEST_CASE("tables of cyclic designs take 4 bytes per difference, whatever is asked for") {
  std::size_t checked = 0;
  auto const check = [&](char const* family, weir::FamilyParameters const& given) {
    for (char const* prefix : {"", "complement-of:"}) {
      for (std::uint64_t seed : {0u, 5u}) {
        weir::FixedDesign const made = make_fixed_design(std::string(prefix) + family, given, seed);
        CAPTURE(family);
        CAPTURE(given.order);
        CHECK(made.design.table_bytes() <= 4 * made.parameters.k + 1024);
        ++checked;
      }
    }
  };
  auto const is_prime_power = [](std::uint64_t q) { return static_cast<bool>(weir::prime_power(q)); };
  for (std::uint32_t q = 2; q <= 67; ++q)
    if (is_prime_power(q)) check("projective-plane", {q});
  for (std::uint32_t q = 2; q <= 5; ++q)
    for (std::uint32_t dimension = 2; dimension <= 5; ++dimension)
      check("projective-geometry", {q, dimension});
  // Over other fields these are not cyclic.
  for (std::uint32_t q = 7; q < 1500; q += 4)
    if (weir::is_prime(q)) check("paley", {q});
  for (std::uint32_t q = 3; q < 60; q += 2)
    if (weir::is_prime(q) && weir::is_prime(q + 2)) check("twin-prime", {q});
  for (std::uint32_t p : {37u, 101u, 109u, 197u, 677u, 16901u}) check("quartic-residue", {p});
  CHECK(checked > 600);
}
