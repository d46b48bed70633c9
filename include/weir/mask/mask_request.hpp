#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "weir/core/error.hpp"
#include "weir/mask/any_shape.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/family_parameters.hpp"
#include "weir/mask/mask_options.hpp"

namespace weir::inline v1::detail {

/// Options that do not contradict each other, with the sides of the grid of tiles.
class MaskRequest {
 public:
  explicit MaskRequest(MaskOptions const& options) : o_(options) {
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

 protected:
  static bool is_shaped(std::string_view family) {
    std::string_view const base = base_family(family);
    return base == "auto" || base == "hadamard-group" || base == "net" || is_listed(base);
  }
  static bool is_listed(std::string_view base) {
    return base == "legacy-iddl" || base == "random" || base == "random-biregular";
  }

  std::size_t tiles(std::size_t side) const { return side == 0 ? 0 : (side - 1) / o_.block + 1; }

  /// The row degree asked for, of so many inputs.
  RowShare row_share(std::size_t inputs) const {
    if (o_.row_degree > inputs) {
      refuse_parameter("row-degree", o_.row_degree,
                       "from 1 to " + std::to_string(inputs) + ", the inputs, would be right");
    }
    return {o_.row_degree, inputs};
  }

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
      throw ContractViolation("density " + std::to_string(o_.density) + ": at most " + rounded_down(share) +
                              why);
    auto const most = static_cast<std::size_t>(share * static_cast<double>(o_.inputs));
    refuse_parameter("row-degree", o_.row_degree, "at most " + std::to_string(most) + why);
  }

  MaskOptions const& o_;
  std::size_t outputs_ = 0;  ///< of the grid
  std::size_t inputs_ = 0;

 private:
  /// A number below 1 with at least five digits.
  static std::string rounded_down(double share) {
    std::size_t places = 6;
    double scale = 1e6;
    for (; share * scale < 1e5; scale *= 10) ++places;
    std::string const digits = std::to_string(static_cast<std::uint64_t>(share * scale));
    return "0." + std::string(places - digits.size(), '0') + digits;
  }

  /// An option that says nothing about designs of the family is a mistake, and not passed over.
  void refuse_options_of_others() const {
    std::string_view const family = base_family(o_.family);
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

  /// Where no side is as long as a tile, the only mask would be full, whatever is asked for.
  void check_block() const {
    if (o_.outputs == 0 || o_.inputs == 0 || o_.block <= o_.outputs || o_.block <= o_.inputs) return;
    std::string const side = std::to_string(o_.outputs > o_.inputs ? o_.outputs : o_.inputs);
    refuse_parameter("block-size", o_.block,
                     "greater than " + side + ", the larger side (nearest: " + side + ")");
  }
};

}  // namespace weir::inline v1::detail
