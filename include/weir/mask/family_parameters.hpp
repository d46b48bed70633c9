#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/core/error.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/design/quartic_residue.hpp"
#include "weir/mask/design/steiner_triple.hpp"
#include "weir/mask/design/twin_prime.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {

/// What a family with a shape of its own is chosen by; 0: not given.
struct FamilyParameters {
  std::uint64_t order = 0;
  std::uint64_t dimension = 0;  ///< 0: 2
  std::uint64_t inputs = 0;     ///< of a Steiner triple system
  std::uint64_t block = 1;      ///< side of the tiles that such inputs are made up of
};

inline constexpr char const* fixed_families =
    "affine-plane, projective-plane, affine-geometry, projective-geometry, steiner-triple, paley, "
    "twin-prime, quartic-residue";

namespace detail {

/// Takes `prefix` off a name that begins with it.
constexpr bool take_prefix(std::string_view& name, std::string_view prefix) {
  if (name.substr(0, prefix.size()) != prefix) return false;
  name.remove_prefix(prefix.size());
  return true;
}

/// The family that another is made from: the name without its prefixes.
constexpr std::string_view base_family(std::string_view name) {
  while (take_prefix(name, "complement-of:") || take_prefix(name, "derived-of:") ||
         take_prefix(name, "residual-of:")) {
  }
  return name;
}

constexpr std::string_view without_complements(std::string_view name) {
  while (take_prefix(name, "complement-of:")) {
  }
  return name;
}

/// Whether it is a derived or residual design, or the complement of one.
constexpr bool is_made_from(std::string_view name) {
  name = without_complements(name);
  return take_prefix(name, "derived-of:") || take_prefix(name, "residual-of:");
}

[[noreturn]] inline void refuse_family(std::string_view name, std::string const& why) {
  throw ContractViolation("family " + std::string(name) + ": " + why);
}

}  // namespace detail

/// Whether a name is that of such a family, whatever its parameters.
constexpr bool is_fixed_family(std::string_view name) {
  std::string_view const base = detail::base_family(name);
  for (std::string_view const known :
       {"affine-plane", "projective-plane", "affine-geometry", "projective-geometry", "steiner-triple",
        "paley", "twin-prime", "quartic-residue"}) {
    if (base == known) return true;
  }
  return false;
}

/// What a family says of a member without making it.
struct FamilyShape {
  DesignParameters parameters =
      {};                  ///< all 0 where there is no member, and where k or v needs more than 32 bits
  bool is_cyclic = false;  ///< kept as a difference set, else as lists of entries
  bool fits = true;        ///< into 32 bits, and where entries are listed into 2^32 - 1 of them
};

namespace detail {

constexpr bool is_geometry_family(std::string_view base) {
  return base == "affine-plane" || base == "projective-plane" || base == "affine-geometry" ||
         base == "projective-geometry";
}

constexpr std::uint64_t tiles_of(FamilyParameters const& given) {
  return given.inputs == 0 ? 0 : (given.inputs - 1) / given.block + 1;
}

constexpr FamilyShape geometry_shape(bool is_affine, std::uint64_t order, std::uint64_t dimension) {
  if (order < 2 || dimension < 2) return {};
  std::uint64_t const exponent = largest_exponent(order, largest_number);
  if (exponent < (is_affine ? 2 : 3) || dimension > exponent - (is_affine ? 0 : 1)) return {.fits = false};
  std::uint64_t const power = limited_power(order, dimension, largest_number);
  std::uint64_t const r = (power - 1) / (order - 1);
  std::uint64_t const lambda = (power / order - 1) / (order - 1);
  if (is_affine) return {{power, order * r, r, power / order, lambda}};
  return {{r + power, r + power, r, r, lambda}, true};
}

/// Of a family that is no geometry, so that its inputs are below 2^32.
constexpr std::uint64_t largest_order(std::string_view base) {
  return base == "twin-prime" ? 0xfffe : largest_number;
}

constexpr FamilyShape basic_shape(std::string_view name, FamilyParameters const& given) {
  if (is_geometry_family(name)) {
    bool const is_affine = name == "affine-plane" || name == "affine-geometry";
    return geometry_shape(is_affine, given.order, given.dimension == 0 ? 2 : given.dimension);
  }
  if (name == "steiner-triple") {
    std::uint64_t const v = tiles_of(given);
    if (!is_steiner_order(v)) return {.fits = v <= 0xffff};
    return {{v, v * (v - 1) / 6, (v - 1) / 2, 3, 1}};
  }
  std::uint64_t const q = given.order;
  if (q > largest_order(name)) return {.fits = false};
  if (q < 3) return {};
  if (name == "quartic-residue") {
    std::uint64_t const k = (q + (is_four_odd_squares_and(q, 9) ? 3 : 0)) / 4;
    return {{q, q, k, k, k * (k - 1) / (q - 1)}, true};
  }
  std::uint64_t const v = name == "paley" ? q : q * (q + 2);
  return {{v, v, (v - 1) / 2, (v - 1) / 2, (v - 3) / 4},
          name == "paley" ? is_prime(q) : is_cyclic_twin_order(q)};
}

}  // namespace detail

/// Of a member of a family with a shape of its own. Parameters that no member has are not refused: what is
/// said of them only grows with them.
constexpr FamilyShape family_shape(std::string_view name, FamilyParameters const& given) {
  std::string_view of = name;
  bool const is_complement = detail::take_prefix(of, "complement-of:");
  bool const is_derived = !is_complement && detail::take_prefix(of, "derived-of:");
  bool const is_residual = !is_complement && !is_derived && detail::take_prefix(of, "residual-of:");
  FamilyShape shape = of == name ? detail::basic_shape(name, given) : family_shape(of, given);
  auto const [v, b, r, k, lambda] = shape.parameters;
  bool const has_complement = v - k >= 2 && b + lambda > 2 * r;
  bool const has_derived = v == b && lambda >= 2;
  bool const has_residual = v == b && v - k >= 3;
  bool const is_none =
      (is_complement && !has_complement) || (is_derived && !has_derived) || (is_residual && !has_residual);
  if (v == 0 || is_none) return {.fits = shape.fits};
  if (is_complement) shape.parameters = {v, b, b - r, v - k, b - 2 * r + lambda};
  if (is_derived) shape.parameters = {k, v - 1, k - 1, lambda, lambda - 1};
  if (is_residual) shape.parameters = {v - k, v - 1, k, k - lambda, lambda};
  shape.is_cyclic = shape.is_cyclic && !is_derived && !is_residual;
  DesignParameters const& p = shape.parameters;
  bool const is_listed = !shape.is_cyclic && p.k != 0;
  if (is_listed && p.b > detail::largest_number / p.k) shape.fits = false;
  return shape;
}

namespace detail {

constexpr bool is_family_order(std::string_view base, std::uint64_t order) {
  if (base == "steiner-triple") return is_steiner_order(order);
  if (base == "paley") return is_paley_order(order);
  if (base == "twin-prime") return is_twin_order(order);
  if (base == "quartic-residue") return is_quartic_order(order);
  return static_cast<bool>(prime_power(order));
}

/// The largest number that is right, where those that are come first.
template <class IsRight>
constexpr std::uint64_t largest_with(IsRight is_right) {
  std::uint64_t low = 1;
  for (std::uint64_t high = largest_number; low < high;) {
    std::uint64_t const middle = high - (high - low) / 2;
    (is_right(middle) ? low : high) = is_right(middle) ? middle : middle - 1;
  }
  return low;
}

/// The orders, or inputs of triples, of members that are nearest to the one given: those that fit.
inline std::string nearest_member(std::string_view name, FamilyParameters const& given) {
  std::string_view const base = base_family(name);
  bool const is_triples = base == "steiner-triple";
  auto const shape = [&](std::uint64_t parameter) {
    if (is_triples) return family_shape(name, {.inputs = parameter});
    return family_shape(name, {.order = parameter, .dimension = given.dimension});
  };
  auto const is_right = [&](std::uint64_t parameter) {
    if (!is_family_order(base, parameter)) return false;
    FamilyShape const of = shape(parameter);
    return of.fits && of.parameters.v != 0;
  };
  auto const has_room = [&](std::uint64_t parameter) {
    FamilyShape const of = shape(parameter);
    return of.parameters.v == 0 ? of.fits : of.parameters.b <= largest_number / of.parameters.k;
  };
  std::uint64_t const number = is_triples ? tiles_of(given) : given.order;
  // Members that are cyclic have no bound; else what fits is bounded by the entries.
  bool const may_be_cyclic = !is_geometry_family(base) && !is_triples && !is_made_from(name);
  std::uint64_t const most = may_be_cyclic ? largest_order(base) : largest_with(has_room);
  return nearest(number, is_right, most, is_triples ? given.block : 1);
}

/// Refuses the parameter that a family is chosen by.
[[noreturn]] inline void refuse_member(std::string_view name, FamilyParameters const& given,
                                       std::string const& why) {
  bool const is_triples = base_family(name) == "steiner-triple";
  refuse_parameter(is_triples ? "inputs" : "order", is_triples ? given.inputs : given.order,
                   with_nearest(why, nearest_member(name, given)));
}

/// Refuses what `family_shape` says does not fit.
[[noreturn]] inline void refuse_too_large(std::string_view name, FamilyParameters const& given) {
  bool const is_geometry = is_geometry_family(base_family(name));
  auto const fits = [&](std::uint64_t dimension) {
    return family_shape(name, {.order = given.order, .dimension = dimension}).fits;
  };
  if (is_geometry && given.dimension > 2 && fits(2)) {
    std::uint64_t most = 2;
    while (fits(most + 1)) ++most;
    refuse_parameter(
        "dimension", given.dimension,
        with_nearest("too large with order " + std::to_string(given.order), std::to_string(most)));
  }
  if (!is_geometry) refuse_member(name, given, "too large for lists of 2^32 - 1 entries");
  refuse_member(name, {.order = given.order}, "too large for a design of dimension 2");
}

/// Why an order is that of no member of a family that is no geometry: the words of `check_paley_order` and
/// its like, which compilers repeat only where they stand.
constexpr char const* fault_of_order(std::string_view base, std::uint64_t order) {
  if (order > largest_order(base)) return "too large";
  if (base == "twin-prime") return "a twin prime design needs odd prime powers q and q + 2";
  if (base == "paley") return "a Paley design needs a prime power of the form 4i + 3, at least 7";
  return "a quartic residue design needs a prime 4x^2 + 1 above 5 or 4x^2 + 9, x odd";
}

/// The parameters of a member of a basic family, of which the one called `name` is made.
inline DesignParameters checked_basic(std::string_view name, std::string_view base,
                                      FamilyParameters const& given) {
  if (base == "steiner-triple") {
    if (given.inputs == 0)
      throw ContractViolation("inputs: they are missing; family steiner-triple needs them");
    std::uint64_t const tiles = tiles_of(given);
    if (!is_steiner_order(tiles)) {
      refuse_member(name, given,
                    tiles > 0xffff     ? "too large"
                    : given.block == 1 ? "a Steiner triple system needs 6t + 1 or 6t + 3, from 7 to 65535"
                                       : "a Steiner triple system needs 6t + 1 or 6t + 3 tiles, from 7");
    }
    return basic_shape(base, given).parameters;
  }
  if (given.order == 0)
    throw ContractViolation("order: it is missing; family " + std::string(base) + " needs it");
  if (is_geometry_family(base)) {
    std::uint64_t const dimension = given.dimension == 0 ? 2 : given.dimension;
    bool const is_plane = base == "affine-plane" || base == "projective-plane";
    if (is_plane && dimension != 2) refuse_parameter("dimension", dimension, "a plane has 2");
    if (dimension < 2) refuse_parameter("dimension", dimension, "2 or more would be right");
    if (!family_shape(name, {.order = given.order}).fits) refuse_too_large(name, given);
    if (!prime_power(given.order)) refuse_member(name, given, "not a prime power");
    if (!basic_shape(base, given).fits) refuse_too_large(name, given);
  } else if (!is_family_order(base, given.order)) {
    refuse_member(name, given, fault_of_order(base, given.order));
  }
  return basic_shape(base, given).parameters;
}

/// Refuses what no member has, or a member that has no such complement, derived or residual design.
inline void check_member(std::string_view name, std::string_view whole, FamilyParameters const& given) {
  std::string_view of = name;
  bool const is_complement = take_prefix(of, "complement-of:");
  bool const is_derived = !is_complement && take_prefix(of, "derived-of:");
  if (!is_complement && !is_derived) take_prefix(of, "residual-of:");
  if (of == name) return static_cast<void>(checked_basic(whole, name, given));
  check_member(of, whole, given);
  auto const [v, b, r, k, lambda] = family_shape(of, given).parameters;
  if (family_shape(name, given).parameters.v != 0) return;
  if (is_complement) {
    refuse_family(name, "the complement would have k = " + std::to_string(v - k) + " and lambda = " +
                            std::to_string(b + lambda - 2 * r) + ", a design has at least 2 and 1");
  }
  if (v != b) {
    refuse_family(name, "the design has " + std::to_string(b * given.block) + " outputs and " +
                            std::to_string(v * given.block) +
                            " inputs; a symmetric one, with as many, would be right");
  }
  refuse_family(name, is_derived ? "the design has lambda 1; one with at least 2 would be right"
                                 : "fewer than 3 inputs would be left");
}

}  // namespace detail

/// The parameters of a member of a family with a shape of its own.
///
/// Errors: ContractViolation for a parameter that is missing or that no member has, for a family that has no
/// derived or residual design, and for a member with more entries than lists hold.
inline DesignParameters checked_family_parameters(std::string_view name, FamilyParameters const& given) {
  if (!is_fixed_family(name))
    detail::refuse_family(name, std::string("one of ") + fixed_families + " would be right");
  if (given.block == 0) throw ContractViolation("block-size 0: 1 or more would be right");
  detail::check_member(name, name, given);
  FamilyShape const shape = family_shape(name, given);
  if (!shape.fits) detail::refuse_too_large(name, given);
  return shape.parameters;
}

}  // namespace weir::inline v1
