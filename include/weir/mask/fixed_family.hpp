#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

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
#include "weir/mask/family_parameters.hpp"

namespace weir::inline v1 {

/// A block design with its proof in numbers.
struct FixedDesign {
  AnyDesign design;
  DesignParameters parameters;
  bool is_permutable = true;  ///< copies are made by permutation, not by the family's own formula
};

namespace detail {

inline FixedDesign cyclic_family(CyclicDesign design, DesignParameters const& parameters,
                                 std::uint64_t seed) {
  return {seed == 0 ? std::move(design) : design.copy(seed), parameters, false};
}

inline FixedDesign make_basic_design(std::string_view name, FamilyParameters const& given,
                                     std::uint64_t seed) {
  auto const [parameters, is_cyclic, fits] = family_shape(name, given);
  std::uint64_t const order = given.order;
  std::uint64_t const dimension = given.dimension == 0 ? 2 : given.dimension;
  if (name == "steiner-triple") return {AnyDesign::of(SteinerTripleSystem(parameters.v)), parameters};
  if (name == "affine-plane" || name == "affine-geometry")
    return {AnyDesign::of(AffineGeometry(order, dimension)), parameters};
  if (name == "projective-plane" || name == "projective-geometry")
    return cyclic_family(ProjectiveGeometry(order, dimension), parameters, seed);
  if (name == "quartic-residue") return cyclic_family(QuarticResidueDesign(order), parameters, seed);
  bool const is_paley = name == "paley";
  if (is_cyclic) {
    return cyclic_family(CyclicDesign(static_cast<std::uint32_t>(parameters.v),
                                      is_paley ? paley_set(order) : cyclic_twin_prime_set(order)),
                         parameters, seed);
  }
  if (is_paley) return {AnyDesign::of(PaleyDesign(order)), parameters};
  return {AnyDesign::of(TwinPrimeDesign(order)), parameters};
}

/// `make_fixed_design` of what has been checked.
inline FixedDesign make_member(std::string_view name, FamilyParameters const& given, std::uint64_t seed) {
  std::string_view of = name;
  if (take_prefix(of, "complement-of:")) {
    FixedDesign const made = make_member(of, given, seed);
    return {made.design.complement(), family_shape(name, given).parameters, made.is_permutable};
  }
  bool const is_derived = take_prefix(of, "derived-of:");
  bool const is_other = is_derived || take_prefix(of, "residual-of:");
  // The designs that others are made of are their families' own; the result is permuted.
  FixedDesign made = is_other ? make_member(of, given, 0) : make_basic_design(name, given, seed);
  if (is_other) {
    made = {AnyDesign::of(is_derived ? derived(made.design) : residual(made.design)),
            family_shape(name, given).parameters};
  }
  if (made.is_permutable && seed != 0) made.design = AnyDesign::of(permuted(made.design, seed));
  return made;
}

}  // namespace detail

/// Makes a member of a family with a shape of its own, `complement-of:`, `derived-of:` and `residual-of:`
/// included.
///
/// Errors: those of `checked_family_parameters`.
inline FixedDesign make_fixed_design(std::string_view name, FamilyParameters const& given,
                                     std::uint64_t seed = 0) {
  static_cast<void>(checked_family_parameters(name, given));
  return detail::make_member(name, given, seed);
}

}  // namespace weir::inline v1
