#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/any_design.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/derived.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/permuted.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/design/quartic_residue.hpp"
#include "weir/mask/design/residual.hpp"
#include "weir/mask/design/steiner_triple.hpp"
#include "weir/mask/design/twin_prime.hpp"

namespace weir::inline v1 {

/// What a family with a shape of its own is chosen by; 0: not given.
struct FamilyParameters {
  std::uint64_t order = 0;
  std::uint64_t dimension = 0;  ///< 0: 2
  std::uint64_t inputs = 0;     ///< of a Steiner triple system
};

/// A block design with its proof in numbers.
struct FixedDesign {
  AnyDesign design;
  DesignParameters parameters;
  bool is_permutable = true;  ///< copies are made by permutation, not by the family's own formula
};

inline constexpr char const* fixed_families =
    "affine-plane, projective-plane, affine-geometry, projective-geometry, steiner-triple, paley, "
    "twin-prime, "
    "quartic-residue";

namespace detail {

/// Takes `prefix` off a name that begins with it.
constexpr bool take_prefix(std::string_view& name, std::string_view prefix) {
  if (name.substr(0, prefix.size()) != prefix) return false;
  name.remove_prefix(prefix.size());
  return true;
}

[[noreturn]] inline void refuse_family(std::string_view name, std::string const& why) {
  throw ContractViolation("family " + std::string(name) + ": " + why);
}

inline std::uint64_t needed_order(std::string_view name, FamilyParameters const& parameters) {
  if (parameters.order != 0) return parameters.order;
  throw ContractViolation("order: it is missing; family " + std::string(name) + " needs it");
}

inline FixedDesign cyclic_family(CyclicDesign design, std::uint64_t seed, std::uint64_t lambda) {
  std::uint64_t const v = design.outputs();
  std::uint64_t const k = design.differences().size();
  return {seed == 0 ? std::move(design) : design.copy(seed), {v, v, k, k, lambda}, false};
}

template <class D>
FixedDesign developed_family(D const& design, std::uint64_t lambda) {
  std::uint64_t const v = design.outputs();
  std::uint64_t const k = design.set().size();
  return {AnyDesign::of(design), {v, v, k, k, lambda}};
}

inline FixedDesign affine_family(std::uint64_t order, std::uint64_t dimension) {
  AffineGeometry const design(order, dimension);
  std::uint64_t const v = design.inputs();
  std::uint64_t const r = design.column_degree(0);
  std::uint64_t const k = design.row_degree(0);
  return {AnyDesign::of(design), {v, design.outputs(), r, k, r * (k - 1) / (v - 1)}};
}

inline FixedDesign projective_family(std::uint64_t order, std::uint64_t dimension, std::uint64_t seed) {
  ProjectiveGeometry design(order, dimension);
  std::uint64_t const k = design.differences().size();
  std::uint64_t const lambda = k * (k - 1) / (design.inputs() - 1);
  return cyclic_family(std::move(design), seed, lambda);
}

}  // namespace detail

/// Makes a member of a family with a shape of its own, `complement-of:`, `derived-of:` and `residual-of:`
/// included.
///
/// Errors: ContractViolation for a parameter that is missing or that no member has, or a family that has no
/// derived or residual design.
inline FixedDesign make_fixed_design(std::string_view name, FamilyParameters const& given,
                                     std::uint64_t seed = 0);

/// Whether a name is that of such a family, whatever its parameters.
constexpr bool is_fixed_family(std::string_view name) {
  while (detail::take_prefix(name, "complement-of:") || detail::take_prefix(name, "derived-of:") ||
         detail::take_prefix(name, "residual-of:")) {
  }
  for (std::string_view const known :
       {"affine-plane", "projective-plane", "affine-geometry", "projective-geometry", "steiner-triple",
        "paley", "twin-prime", "quartic-residue"}) {
    if (name == known) return true;
  }
  return false;
}

namespace detail {

inline FixedDesign make_basic_design(std::string_view name, FamilyParameters const& given,
                                     std::uint64_t seed) {
  std::uint64_t const dimension = given.dimension == 0 ? 2 : given.dimension;
  if (name == "steiner-triple") {
    if (given.inputs == 0)
      throw ContractViolation("inputs: they are missing; family steiner-triple needs them");
    SteinerTripleSystem const design(given.inputs);
    return {AnyDesign::of(design), {given.inputs, design.outputs(), design.column_degree(0), 3, 1}};
  }
  std::uint64_t const order = needed_order(name, given);
  if (name == "affine-plane" || name == "projective-plane") {
    if (dimension != 2) refuse_parameter("dimension", dimension, "a plane has 2");
    return name == "affine-plane" ? affine_family(order, 2) : projective_family(order, 2, seed);
  }
  if (name == "affine-geometry") return affine_family(order, dimension);
  if (name == "projective-geometry") return projective_family(order, dimension, seed);
  if (name == "paley") {
    std::vector<std::uint32_t> set = paley_set(order);
    if (!is_prime(order)) return developed_family(PaleyDesign(order), (order - 3) / 4);
    return cyclic_family(CyclicDesign(static_cast<std::uint32_t>(order), std::move(set)), seed,
                         (order - 3) / 4);
  }
  if (name == "twin-prime") {
    std::uint64_t const v = order * (order + 2);
    if (!is_cyclic_twin_order(order)) return developed_family(TwinPrimeDesign(order), (v - 3) / 4);
    return cyclic_family(CyclicDesign(static_cast<std::uint32_t>(v), cyclic_twin_prime_set(order)), seed,
                         (v - 3) / 4);
  }
  QuarticResidueDesign design(order);
  std::uint64_t const k = design.differences().size();
  return cyclic_family(std::move(design), seed, k * (k - 1) / (order - 1));
}

inline FixedDesign make_complement(std::string_view name, FixedDesign const& of) {
  auto const [v, b, r, k, lambda] = of.parameters;
  DesignParameters const parameters = {v, b, b - r, v - k, b - 2 * r + lambda};
  if (parameters.k < 2 || parameters.lambda == 0)
    refuse_family(name, "the complement would have k = " + std::to_string(parameters.k) + " and lambda = " +
                            std::to_string(parameters.lambda) + ", a design has at least 2 and 1");
  return {of.design.complement(), parameters, of.is_permutable};
}

inline FixedDesign make_derived_or_residual(std::string_view name, FixedDesign const& of, bool is_derived) {
  auto const [v, b, r, k, lambda] = of.parameters;
  if (v != b) {
    refuse_family(name, "the design has " + std::to_string(b) + " outputs and " + std::to_string(v) +
                            " inputs; a symmetric one, with as many, would be right");
  }
  if (is_derived && lambda < 2)
    refuse_family(name, "the design has lambda 1; one with at least 2 would be right");
  if (!is_derived && v - k < 3) refuse_family(name, "fewer than 3 inputs would be left");
  AnyDesign const design = AnyDesign::of(is_derived ? derived(of.design) : residual(of.design));
  if (is_derived) return {design, {k, v - 1, k - 1, lambda, lambda - 1}, of.is_permutable};
  return {design, {v - k, v - 1, k, k - lambda, lambda}, of.is_permutable};
}

}  // namespace detail

inline FixedDesign make_fixed_design(std::string_view name, FamilyParameters const& given,
                                     std::uint64_t seed) {
  if (!is_fixed_family(name))
    detail::refuse_family(name, std::string("one of ") + fixed_families + " would be right");
  std::string_view of = name;
  bool const is_complement = detail::take_prefix(of, "complement-of:");
  bool const is_derived = !is_complement && detail::take_prefix(of, "derived-of:");
  bool const is_residual = !is_complement && !is_derived && detail::take_prefix(of, "residual-of:");
  // The designs that others are made of are their families' own; the result is permuted.
  bool const is_cyclic = !is_derived && !is_residual;
  FixedDesign made = of == name ? detail::make_basic_design(name, given, seed)
                                : make_fixed_design(of, given, is_cyclic ? seed : 0);
  if (is_complement) return detail::make_complement(name, made);
  if (is_derived || is_residual) made = detail::make_derived_or_residual(name, made, is_derived);
  made.is_permutable = made.is_permutable || is_derived || is_residual;
  if (made.is_permutable && seed != 0) made.design = AnyDesign::of(permuted(made.design, seed));
  return made;
}

}  // namespace weir::inline v1
