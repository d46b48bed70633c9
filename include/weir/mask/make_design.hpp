#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/smaller.hpp"
#include "weir/mask/any_design.hpp"
#include "weir/mask/any_shape.hpp"
#include "weir/mask/design/dual.hpp"
#include "weir/mask/design/legacy_iddl.hpp"
#include "weir/mask/design/random.hpp"
#include "weir/mask/design/random_biregular.hpp"
#include "weir/mask/fixed_family.hpp"
#include "weir/mask/geometry.hpp"
#include "weir/mask/mask_options.hpp"

namespace weir::inline v1 {

/// A design and the family it was taken from.
struct MadeDesign {
  AnyDesign design;
  std::string family;
};

namespace detail {

/// Makes the design that options ask for.
class DesignMaker {
 public:
  explicit DesignMaker(MaskOptions const& options) : o_(options) {
    if (o_.block == 0) throw ContractViolation("block-size 0: 1 or more would be right");
    refuse_options_of_others();
    if (o_.density != 0) check_density(o_.density);
    if (o_.density != 0 && o_.row_degree != 0) {
      refuse_parameter("row-degree", o_.row_degree,
                       "beside density " + std::to_string(o_.density) + "; one of the two would be right");
    }
    if (o_.nnz != 0 && (o_.density != 0 || o_.row_degree != 0)) {
      refuse_parameter("nnz", o_.nnz,
                       std::string("beside a ") + (o_.density != 0 ? "density" : "row degree") +
                           "; one of the two would be right");
    }
    check_block();
    outputs_ = tiles(o_.outputs);
    inputs_ = tiles(o_.inputs);
  }

  MadeDesign make() const {
    MadeDesign made = grid(o_.family);
    std::size_t const outputs = o_.outputs == 0 ? made.design.outputs() * o_.block : o_.outputs;
    std::size_t const inputs = o_.inputs == 0 ? made.design.inputs() * o_.block : o_.inputs;
    made.design = std::move(made.design).tiled(outputs, inputs, o_.block);
    return made;
  }

 private:
  /// An option that says nothing about designs of the family is a mistake, and not passed over.
  void refuse_options_of_others() const {
    std::string_view family = o_.family;
    while (take_prefix(family, "complement-of:") || take_prefix(family, "derived-of:") ||
           take_prefix(family, "residual-of:")) {
    }
    if (!is_shaped(family) && !is_fixed_family(family)) return;  // unknown, which is said later
    auto const check = [family](char const* name, auto value, std::initializer_list<char const*> takers) {
      if (value == 0) return;
      std::string list;
      for (char const* const taker : takers) {
        if (family == taker) return;
        list += taker + std::string(", ");
      }
      throw ContractViolation(std::string(name) + " " + std::to_string(value) + ": family " +
                              std::string(family) + " has no use for it; leaving it out, or one of " + list +
                              "would be right");
    };
    check("order", o_.order,
          {"affine-plane", "projective-plane", "affine-geometry", "projective-geometry", "paley",
           "twin-prime", "quartic-residue", "net", "hadamard-group"});
    check("dimension", o_.dimension,
          {"affine-plane", "projective-plane", "affine-geometry", "projective-geometry"});
    check("nnz", o_.nnz, {"random"});
    if (family != "legacy-iddl") return;
    check("density", o_.density, {"auto", "hadamard-group", "random", "random-biregular"});
    check("row-degree", o_.row_degree, {"auto", "hadamard-group", "random", "random-biregular"});
  }

  MadeDesign grid(std::string const& family) const {
    std::string_view inner = family;
    if (is_fixed_family(family)) return {fixed(), family};
    if (take_prefix(inner, "complement-of:")) {
      AnyDesign const original = grid(std::string(inner)).design;
      if (original.nnz() == original.outputs() * original.inputs())
        refuse_family(family, "the design is full, so nothing is left; a lower density would be right");
      return {original.complement(), family};
    }
    bool const is_made_from = take_prefix(inner, "derived-of:") || take_prefix(inner, "residual-of:");
    if (is_made_from && is_shaped(inner))
      refuse_family(family, std::string("the design must be a symmetric block design; one of ") +
                                fixed_families + " would be right");
    if (family == "auto") return automatic();
    if (family == "hadamard-group") return {by_groups(), family};
    if (family == "net") return {net(), family};
    if (family == "legacy-iddl") {
      no_lambda();
      need_sides();
      return {narrowed(legacy_iddl(outputs_, inputs_)), family};
    }
    if (family == "random") return {random(), family};
    if (family == "random-biregular") return {biregular(), family};
    refuse_family(family,
                  std::string("unknown; auto, ") + fixed_families +
                      ", net, hadamard-group, legacy-iddl, random, random-biregular, or complement-of:, "
                      "derived-of: or residual-of: before one, would be right");
  }

  static bool is_shaped(std::string_view family) {
    while (take_prefix(family, "complement-of:") || take_prefix(family, "derived-of:") ||
           take_prefix(family, "residual-of:")) {
    }
    for (std::string_view const known :
         {"auto", "hadamard-group", "net", "legacy-iddl", "random", "random-biregular"}) {
      if (family == known) return true;
    }
    return false;
  }

  // Families with a shape of their own.

  AnyDesign fixed() const {
    bool const is_triples = o_.family.find("steiner-triple") != std::string::npos;
    FamilyParameters parameters = {o_.order, o_.dimension, inputs_};
    // A Steiner triple system is chosen by its points, which are the outputs of its dual.
    bool const is_dual_of_triples = outputs_ != 0 && outputs_ * (outputs_ - 1) / 6 == inputs_;
    if (is_triples && is_dual_of_triples) parameters.inputs = outputs_;
    FixedDesign made = make_fixed_design(o_.family, parameters, o_.seed);
    DesignParameters const& p = made.parameters;
    if (o_.lambda != 0 && o_.lambda != p.lambda)
      refuse_parameter("lambda", o_.lambda, "that of the design is " + std::to_string(p.lambda));
    auto const fits = [this](std::size_t outputs, std::size_t inputs) {
      return (outputs_ == 0 || outputs_ == outputs) && (inputs_ == 0 || inputs_ == inputs);
    };
    if (!fits(p.b, p.v) && !fits(p.v, p.b)) {
      bool const is_outputs = outputs_ != 0 && outputs_ != p.b && outputs_ != p.v;
      refuse_parameter(is_outputs ? "outputs" : "inputs", is_outputs ? o_.outputs : o_.inputs,
                       "the design has " + shape_text(p.b, p.v) + ", its dual " + shape_text(p.v, p.b));
    }
    bool const is_dual = !fits(p.b, p.v);
    check_density_of(static_cast<double>(p.k) / static_cast<double>(p.v), is_dual ? p.r : p.k);
    if (is_dual) return AnyDesign::of(dual(made.design));
    return std::move(made.design);
  }

  std::string shape_text(std::size_t outputs, std::size_t inputs) const {
    return std::to_string(outputs * o_.block) + " outputs and " + std::to_string(inputs * o_.block) +
           " inputs";
  }

  void check_density_of(double density, std::size_t row_degree) const {
    if (o_.density != 0 && !is_near(density))
      throw ContractViolation("density " + std::to_string(o_.density) + ": that of the design is " +
                              std::to_string(density));
    if (o_.row_degree != 0 && o_.row_degree != row_degree * o_.block)
      refuse_parameter("row-degree", o_.row_degree,
                       "that of the design is " + std::to_string(row_degree * o_.block));
  }
  bool is_near(double density) const {
    double const difference = density - o_.density;
    return (difference < 0 ? -difference : difference) <= o_.density / 8;
  }

  // Families for any shape.

  MadeDesign automatic() const {
    need_sides();
    double const asked = o_.row_degree != 0 ? share_of_row() : o_.density;
    for (Geometry const& geometry : geometries_of_shape(outputs_, inputs_)) {
      double const density = static_cast<double>(geometry.block_size()) / static_cast<double>(inputs_);
      double const difference = density < asked ? asked - density : density - asked;
      if (asked != 0 && difference > asked / 8) continue;
      FixedDesign made = make_fixed_design(geometry.name(), {geometry.order, geometry.dimension, 0}, o_.seed);
      if (o_.lambda != 0 && o_.lambda != made.parameters.lambda) continue;
      return {std::move(made.design), geometry.name()};
    }
    no_lambda();
    return {by_rules(), "hadamard-group"};
  }

  AnyDesign by_rules() const {
    GroupChoice choice;
    if (o_.row_degree != 0) {
      choice = group_for_row_degree(outputs_, inputs_, o_.row_degree, o_.inputs);
    } else if (o_.density != 0) {
      choice = group_for_density(outputs_, inputs_, o_.density);
    } else {
      choice = default_group(outputs_, inputs_);
    }
    return group(outputs_, inputs_, choice.group, choice.levels);
  }

  AnyDesign by_groups() const {
    if (o_.order == 0) {
      no_lambda();
      need_sides();
      return by_rules();
    }
    PrimePower const power = checked_prime_power(o_.order);
    std::size_t outputs = outputs_;
    std::size_t inputs = inputs_;
    if (o_.lambda != 0) check_is_power("lambda", o_.lambda, power.prime);
    if (outputs == 0 && inputs == 0) {
      if (o_.lambda == 0)
        throw ContractViolation("outputs: they are missing; hadamard-group needs both sides, or lambda");
      outputs = inputs = checked_square(o_.order, o_.lambda);
    }
    need_both(outputs, inputs);
    check_order(outputs, inputs);
    std::uint32_t levels = 1;
    auto const n = static_cast<std::uint32_t>(o_.order);
    if (o_.density != 0) levels = checked_levels(levels_for(o_.density, n));
    if (o_.row_degree != 0) {
      check_row_degree();
      levels = checked_levels(levels_for(share_of_row(), n));
    }
    AnyDesign const design = group(outputs, inputs, n, levels);
    if (o_.lambda != 0) {
      std::uint64_t const own = GroupDesign({outputs, inputs, n}).field_order() / n;
      if (own != o_.lambda)
        refuse_parameter("lambda", o_.lambda, "that of the design is " + std::to_string(own));
    }
    return design;
  }

  AnyDesign net() const {
    if (o_.order == 0) throw ContractViolation("order: it is missing; family net needs it");
    static_cast<void>(checked_prime_power(o_.order));
    if (o_.lambda > 1) refuse_parameter("lambda", o_.lambda, "that of the design is 1");
    std::size_t const side = checked_square(o_.order, 1);
    std::size_t const outputs = outputs_ == 0 && inputs_ == 0 ? side : outputs_;
    std::size_t const inputs = outputs_ == 0 && inputs_ == 0 ? side : inputs_;
    need_both(outputs, inputs);
    std::size_t const longest = outputs > inputs ? outputs : inputs;
    if (longest > side) {
      auto const reaches = [longest](std::uint64_t q) { return q * q >= longest && prime_power(q); };
      refuse_parameter("order", o_.order,
                       "a net has at most " + std::to_string(side) +
                           " outputs and inputs (nearest: " + nearest(o_.order, reaches) + ")");
    }
    check_order(outputs, inputs);
    check_density_of(1.0 / static_cast<double>(o_.order), inputs / o_.order);
    return group(outputs, inputs, static_cast<std::uint32_t>(o_.order), 1);
  }

  AnyDesign random() const {
    no_lambda();
    need_sides();
    double const positions = static_cast<double>(outputs_) * static_cast<double>(inputs_);
    std::size_t nnz = o_.nnz;
    if (o_.row_degree != 0) {
      check_row_degree();
      nnz = o_.block == 1 ? o_.row_degree * outputs_
                          : static_cast<std::size_t>(share_of_row() * positions + 0.5);
    } else if (o_.density != 0) {
      nnz = static_cast<std::size_t>(o_.density * positions + 0.5);
    } else if (nnz == 0) {
      need_density();
    }
    if (o_.nnz == 0) check_entries(static_cast<double>(nnz));
    return narrowed(random_mask(outputs_, inputs_, nnz, o_.seed));
  }

  AnyDesign biregular() const {
    no_lambda();
    need_sides();
    if (o_.row_degree == 0 && o_.density == 0) need_density();
    if (o_.row_degree != 0) check_row_degree();
    double const share = o_.row_degree != 0 ? share_of_row() : o_.density;
    auto degree = static_cast<std::size_t>(share * static_cast<double>(inputs_) + 0.5);
    if (degree == 0) degree = 1;
    check_entries(static_cast<double>(degree) * static_cast<double>(outputs_));
    return narrowed(random_biregular(outputs_, inputs_, degree, o_.seed));
  }

  AnyDesign group(std::size_t outputs, std::size_t inputs, std::uint32_t n, std::uint32_t levels) const {
    return GroupDesign({outputs, inputs, n, levels, o_.seed});
  }

  static AnyDesign narrowed(IndexedDesign<std::uint32_t> const& design) { return AnyDesign::of(design); }

  // What they need.

  std::size_t tiles(std::size_t side) const { return side == 0 ? 0 : (side - 1) / o_.block + 1; }

  /// Where no side is as long as a tile, the only mask would be full, whatever is asked for.
  void check_block() const {
    if (o_.outputs == 0 || o_.inputs == 0 || o_.block <= o_.outputs || o_.block <= o_.inputs) return;
    std::string const side = std::to_string(o_.outputs > o_.inputs ? o_.outputs : o_.inputs);
    refuse_parameter("block-size", o_.block,
                     "greater than " + side + ", the larger side (nearest: " + side + ")");
  }

  /// The row degree asked for as a density.
  double share_of_row() const { return static_cast<double>(o_.row_degree) / static_cast<double>(o_.inputs); }

  void need_sides() const { need_both(outputs_, inputs_); }
  void need_both(std::size_t outputs, std::size_t inputs) const {
    for (auto const& [name, side] : {std::pair{"outputs", outputs}, std::pair{"inputs", inputs}}) {
      if (side == 0)
        throw ContractViolation(std::string(name) + ": they are missing; family " + o_.family +
                                " needs both sides");
    }
  }
  [[noreturn]] void need_density() const {
    throw ContractViolation("density: it is missing; family " + o_.family + " needs it, or a row degree");
  }
  void no_lambda() const {
    if (o_.lambda != 0)
      refuse_parameter("lambda", o_.lambda,
                       "a design of family " + o_.family + " has none; leaving it out would be right");
  }
  /// What has no formula is kept as lists of entries.
  void check_entries(double entries) const {
    if (entries <= static_cast<double>(most_entries)) return;
    double const share =
        static_cast<double>(most_entries) / static_cast<double>(outputs_) / static_cast<double>(inputs_);
    std::string const why = " would be right, for 2^32 - 1 entries";
    if (o_.row_degree == 0)
      throw ContractViolation("density " + std::to_string(o_.density) + ": at most " + std::to_string(share) +
                              why);
    auto const most = static_cast<std::size_t>(share * static_cast<double>(o_.inputs));
    refuse_parameter("row-degree", o_.row_degree, "at most " + std::to_string(most) + why);
  }
  void check_row_degree() const {
    if (o_.row_degree <= o_.inputs) return;
    refuse_parameter("row-degree", o_.row_degree,
                     "from 1 to " + std::to_string(o_.inputs) + ", the inputs, would be right");
  }
  void check_order(std::size_t outputs, std::size_t inputs) const {
    std::size_t const side = smaller(outputs, inputs);
    if (o_.order <= smaller(side, 0xffff)) return;
    std::size_t const most = smaller(side, 0xffff);
    auto const is_right = [most](std::uint64_t q) { return q <= most && prime_power(q); };
    std::string const near = nearest(most + 1, is_right, most);
    refuse_parameter("order", o_.order,
                     "at most " + std::to_string(most) + " goes into " + std::to_string(outputs) + " x " +
                         std::to_string(inputs) + (near.empty() ? "" : " (nearest: " + near + ")"));
  }
  std::uint32_t checked_levels(std::uint32_t levels) const {
    std::uint32_t const n = static_cast<std::uint32_t>(o_.order);
    if (levels == 1 || levels == n - 1 || prime_power(n).prime == 2) return levels;
    refuse_parameter("order", n,
                     "only densities 1/" + std::to_string(n) + " and " + std::to_string(n - 1) + "/" +
                         std::to_string(n) +
                         " are possible; for others a power of two would be right (nearest: " +
                         nearest(n, [](std::uint64_t q) { return q >= 2 && (q & (q - 1)) == 0; }) + ")");
  }
  void check_is_power(char const* name, std::uint64_t value, std::uint32_t prime) const {
    auto const is_power = [prime](std::uint64_t q) {
      while (q % prime == 0 && q > 1) q /= prime;
      return q == 1;
    };
    if (is_power(value)) return;
    refuse_parameter(name, value,
                     "with order " + std::to_string(o_.order) + " a power of " + std::to_string(prime) +
                         " would be right (nearest: " + nearest(value, is_power) + ")");
  }
  /// order * order * lambda, the side of a whole group design.
  static std::size_t checked_square(std::uint64_t order, std::uint64_t lambda) {
    std::uint64_t const most = 0xffff'ffff;
    std::uint32_t const prime = prime_power(order).prime;
    if (order > 0xffff) {
      auto const fits = [&](std::uint64_t q) {
        PrimePower const power = prime_power(q);
        return power && (lambda == 1 || power.prime == prime) && q * q <= most / lambda;
      };
      std::string const near = nearest(0x1'0000, fits, 0xffff);
      refuse_parameter("order", order, "too large" + (near.empty() ? "" : " (nearest: " + near + ")"));
    }
    if (lambda <= most / (order * order)) return order * order * lambda;
    std::uint64_t largest = 1;
    while (largest * prime <= most / (order * order)) largest *= prime;
    refuse_parameter(
        "lambda", lambda,
        "too large with order " + std::to_string(order) + " (nearest: " + std::to_string(largest) + ")");
  }

  MaskOptions const& o_;
  std::size_t outputs_ = 0;  ///< of the grid
  std::size_t inputs_ = 0;
};

}  // namespace detail

/// Makes the design that options ask for: a member of a family, or for `auto` the affine or projective
/// geometry of exactly this shape if there is one, else a group design by the rules for any shape. A shape
/// that is the transposed one of a family gives the dual.
///
/// Errors: ContractViolation that begins with the name of the option and its value, and says what would be
/// right.
inline MadeDesign make_design(MaskOptions const& options) {
  return detail::DesignMaker(options).make();
}

}  // namespace weir::inline v1
