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
#include "weir/mask/family_parameters.hpp"
#include "weir/mask/fixed_family.hpp"
#include "weir/mask/geometry.hpp"
#include "weir/mask/group_order.hpp"
#include "weir/mask/mask_options.hpp"
#include "weir/mask/mask_request.hpp"

namespace weir::inline v1 {

/// A design and the family it was taken from.
struct MadeDesign {
  AnyDesign design;
  std::string family;
};

namespace detail {

/// Makes the design that options ask for.
class DesignMaker : private MaskRequest {
 public:
  explicit DesignMaker(MaskOptions const& options) : MaskRequest(options) {}

  MadeDesign make() const {
    MadeDesign made = grid(o_.family);
    // A side that is not asked for, or that names another design, is made up of whole tiles.
    bool const has_outputs = made.design.outputs() == outputs_;
    bool const has_inputs = made.design.inputs() == inputs_;
    std::size_t const outputs = has_outputs ? o_.outputs : made.design.outputs() * o_.block;
    std::size_t const inputs = has_inputs ? o_.inputs : made.design.inputs() * o_.block;
    made.design = std::move(made.design).tiled(outputs, inputs, o_.block);
    return made;
  }

 private:
  MadeDesign grid(std::string const& family) const {
    std::string_view inner = family;
    if (is_fixed_family(family)) return {fixed(), family};
    if (take_prefix(inner, "complement-of:")) {
      if (is_listed(without_complements(inner))) static_cast<void>(checked_entries(family));
      auto const [original, of] = grid(std::string(inner));
      if (original.nnz() == original.outputs() * original.inputs())
        refuse_family(family, "the design is full, so nothing is left; a lower density would be right");
      return {original.complement(), "complement-of:" + of};
    }
    if (is_made_from(family) && is_shaped(family))
      refuse_family(family, std::string("the design must be a symmetric block design; one of ") +
                                fixed_families + " would be right");
    if (family == "auto") return automatic();
    if (family == "hadamard-group") return {by_groups(), family};
    if (family == "net") return {net(), family};
    if (family == "legacy-iddl") {
      static_cast<void>(checked_entries(family));
      return {narrowed(legacy_iddl(outputs_, inputs_)), family};
    }
    if (family == "random") return {random(), family};
    if (family == "random-biregular") return {biregular(), family};
    refuse_family(family,
                  std::string("unknown; auto, ") + fixed_families +
                      ", net, hadamard-group, legacy-iddl, random, random-biregular, or complement-of:, "
                      "derived-of: or residual-of: before one, would be right");
  }

  // Families with a shape of their own.

  AnyDesign fixed() const {
    FamilyParameters given = {o_.order, o_.dimension, o_.inputs, o_.block};
    std::size_t inputs = inputs_;
    if (base_family(o_.family) == "steiner-triple") choose_triples(given, inputs);
    DesignParameters const p = checked_family_parameters(o_.family, given);
    if (o_.lambda != 0 && o_.lambda != p.lambda)
      refuse_parameter("lambda", o_.lambda, "that of the design is " + std::to_string(p.lambda));
    auto const fits = [&](std::size_t b, std::size_t v) {
      return (outputs_ == 0 || outputs_ == b) && (inputs == 0 || inputs == v);
    };
    if (!fits(p.b, p.v) && !fits(p.v, p.b)) {
      bool const is_outputs = outputs_ != 0 && outputs_ != p.b && outputs_ != p.v;
      refuse_parameter(is_outputs ? "outputs" : "inputs", is_outputs ? o_.outputs : o_.inputs,
                       "the design has " + shape_text(p.b, p.v) + ", its dual " + shape_text(p.v, p.b));
    }
    bool const is_dual = !fits(p.b, p.v);
    check_density_of(p.k, p.v, is_dual ? p.r : p.k);
    FixedDesign made = make_fixed_design(o_.family, given, o_.seed);
    if (is_dual) return AnyDesign::of(dual(made.design));
    return std::move(made.design);
  }

  /// A Steiner triple system is chosen by its points, which are the outputs of its dual. Derived and residual
  /// designs are there of 7 points only, and have other inputs than these.
  void choose_triples(FamilyParameters& given, std::size_t& inputs) const {
    if (!is_made_from(o_.family)) {
      bool const is_dual = is_steiner_order(outputs_) && outputs_ * (outputs_ - 1) / 6 == inputs_;
      if (is_dual) given.inputs = o_.outputs;
    } else if (is_steiner_order(inputs_)) {
      inputs = 0;
    } else if (inputs_ != 0) {
      given.inputs = std::uint64_t{7} * o_.block;
    }
  }

  std::string shape_text(std::size_t outputs, std::size_t inputs) const {
    return std::to_string(outputs * o_.block) + " outputs and " + std::to_string(inputs * o_.block) +
           " inputs";
  }

  void check_density_of(std::size_t k, std::size_t v, std::size_t row_degree) const {
    if (o_.density != 0 && !Density{o_.density}.is_near(k, v))
      throw ContractViolation("density " + std::to_string(o_.density) + ": that of the design is " +
                              std::to_string(static_cast<double>(k) / static_cast<double>(v)));
    if (o_.row_degree != 0 && o_.row_degree != row_degree * o_.block)
      refuse_parameter("row-degree", o_.row_degree,
                       "that of the design is " + std::to_string(row_degree * o_.block));
  }

  // Families for any shape.

  MadeDesign automatic() const {
    need_sides();
    std::string const prefixes = o_.family.substr(0, o_.family.size() - base_family(o_.family).size());
    std::string lambdas;
    for (Geometry const& geometry : geometries_of_shape(outputs_, inputs_)) {
      std::size_t const k = geometry.block_size();
      if (o_.row_degree != 0 && !row_share(o_.inputs).is_near(k, inputs_)) continue;
      if (o_.density != 0 && !Density{o_.density}.is_near(k, inputs_)) continue;
      FamilyParameters const given = {geometry.order, geometry.dimension};
      if (!family_shape(prefixes + geometry.name(), given).fits) continue;
      if (o_.lambda == 0 || o_.lambda == geometry.lambda())
        return {make_fixed_design(geometry.name(), given, o_.seed).design, geometry.name()};
      lambdas += (lambdas.empty() ? "" : " or ") + std::to_string(geometry.lambda());
    }
    if (!lambdas.empty())
      refuse_parameter("lambda", o_.lambda, "that of the design of this shape is " + lambdas);
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
      if (o_.lambda != 0) {
        refuse_parameter("lambda", o_.lambda,
                         "family " + o_.family +
                             " has one with an order only; giving the order, or leaving lambda out, would "
                             "be right");
      }
      need_sides();
      return by_rules();
    }
    std::size_t outputs = outputs_;
    std::size_t inputs = inputs_;
    if (outputs == 0 && inputs == 0) {
      if (o_.lambda == 0)
        throw ContractViolation("outputs: they are missing; hadamard-group needs both sides, or lambda");
      outputs = inputs = checked_group_side(o_.order, o_.lambda);
    }
    check_order(outputs, inputs);
    std::uint32_t levels = 1;
    auto const n = static_cast<std::uint32_t>(o_.order);
    if (o_.density != 0) levels = checked_group_levels(n, levels_for(o_.density, n));
    if (o_.row_degree != 0)
      levels = checked_group_levels(n, row_share(o_.inputs == 0 ? inputs * o_.block : o_.inputs).levels(n));
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
    if (o_.lambda > 1) refuse_parameter("lambda", o_.lambda, "that of the design is 1");
    std::size_t const side = checked_group_side(o_.order, 1);
    std::size_t const outputs = outputs_ == 0 && inputs_ == 0 ? side : outputs_;
    std::size_t const inputs = outputs_ == 0 && inputs_ == 0 ? side : inputs_;
    need_both(outputs, inputs);
    std::size_t const longest = outputs > inputs ? outputs : inputs;
    if (longest > side) {
      auto const reaches = [longest](std::uint64_t q) { return q * q >= longest && prime_power(q); };
      refuse_parameter(
          "order", o_.order,
          with_nearest("a net has at most " + std::to_string(side * o_.block) + " outputs and inputs",
                       nearest(o_.order, reaches, largest_group_order)));
    }
    check_order(outputs, inputs);
    check_density_of(1, o_.order, inputs / o_.order);
    return group(outputs, inputs, static_cast<std::uint32_t>(o_.order), 1);
  }

  // Masks that are kept as lists of entries.

  AnyDesign random() const {
    std::size_t const nnz = random_entries();
    return narrowed(random_mask(outputs_, inputs_, nnz, o_.seed));
  }
  std::size_t random_entries() const {
    no_lambda();
    need_sides();
    double const positions = static_cast<double>(outputs_) * static_cast<double>(inputs_);
    std::size_t nnz = o_.nnz;
    if (o_.row_degree != 0) {
      RowShare const share = row_share(o_.inputs);
      nnz =
          o_.block == 1
              ? o_.row_degree * outputs_
              : static_cast<std::size_t>(
                    static_cast<double>(share.degree) / static_cast<double>(share.inputs) * positions + 0.5);
    } else if (o_.density != 0) {
      nnz = static_cast<std::size_t>(o_.density * positions + 0.5);
    } else if (nnz == 0) {
      need_density();
    }
    if (o_.nnz == 0) check_entries(static_cast<double>(nnz));
    return nnz;
  }

  AnyDesign biregular() const {
    std::size_t const degree = biregular_degree();
    return narrowed(random_biregular(outputs_, inputs_, degree, o_.seed));
  }
  std::size_t biregular_degree() const {
    no_lambda();
    need_sides();
    if (o_.row_degree == 0 && o_.density == 0) need_density();
    std::size_t degree = o_.row_degree != 0
                             ? row_share(o_.inputs).of(inputs_)
                             : static_cast<std::size_t>(o_.density * static_cast<double>(inputs_) + 0.5);
    if (degree == 0) degree = 1;
    check_entries(static_cast<double>(degree) * static_cast<double>(outputs_));
    return degree;
  }

  /// How many a mask has. Refused where it or one that it is made from has more than lists hold.
  std::size_t checked_entries(std::string_view family) const {
    std::string_view inner = family;
    if (take_prefix(inner, "complement-of:")) {
      std::size_t const others = checked_entries(inner);
      std::size_t const positions = outputs_ * inputs_;
      std::size_t const entries = positions - smaller(others, positions);
      if (entries > most_entries) {
        refuse_family(family, "the complement would have " + std::to_string(entries) +
                                  (o_.block == 1 ? " entries" : " tiles") +
                                  "; at most 2^32 - 1 would be right");
      }
      return entries;
    }
    if (family == "random") return random_entries();
    if (family == "random-biregular") return biregular_degree() * outputs_;
    no_lambda();
    need_sides();
    if (inputs_ > most_entries)
      refuse_parameter("inputs", o_.inputs,
                       "at most " + std::to_string(most_entries * o_.block) + " would be right");
    std::size_t const most = most_legacy_outputs(inputs_);
    if (outputs_ > most) {
      refuse_parameter(
          "outputs", o_.outputs,
          "at most " + std::to_string(most * o_.block) + " would be right, for 2^32 - 1 entries");
    }
    return legacy_entries(outputs_, inputs_);
  }

  void check_order(std::size_t outputs, std::size_t inputs) const {
    need_both(outputs, inputs);
    check_group_order(o_.order, outputs, inputs, o_.block != 1);
  }
  AnyDesign group(std::size_t outputs, std::size_t inputs, std::uint32_t n, std::uint32_t levels) const {
    return GroupDesign({outputs, inputs, n, levels, o_.seed});
  }

  static AnyDesign narrowed(IndexedDesign<std::uint32_t> const& design) { return AnyDesign::of(design); }
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
