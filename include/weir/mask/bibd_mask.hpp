#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "weir/mask/any_design.hpp"
#include "weir/mask/design.hpp"
#include "weir/mask/make_design.hpp"
#include "weir/mask/mask_options.hpp"

namespace weir::inline v1 {

/// Which weights of a layer are live: a design, and the options that name it. No mask array is kept.
///
/// Made from options, `BIBDMask{{.outputs = 512, .inputs = 784, .density = 0.1}}`, the design is chosen at
/// run time; made from a design it is that one.
///
/// Errors: those of `make_design`.
template <Design D = AnyDesign>
class BIBDMask {
 public:
  explicit BIBDMask(MaskOptions const& options) requires std::same_as<D, AnyDesign>
      : BIBDMask(make_design(options), options) {}

  explicit constexpr BIBDMask(D design, std::string family = "custom")
      : design_(std::move(design)), family_(std::move(family)) {
    options_.family = family_;
    options_.outputs = design_.outputs();
    options_.inputs = design_.inputs();
  }

  constexpr D const& design() const { return design_; }
  /// The family that the design was taken from, which for `auto` is the one chosen.
  constexpr std::string const& family() const { return family_; }
  /// What it was made from.
  constexpr MaskOptions const& options() const { return options_; }

  /// Calls `visitor` with the layout that kernels take, valid as long as this mask is.
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    if constexpr (requires { design_.visit(visitor); }) {
      return design_.visit(std::forward<Visitor>(visitor));
    } else if constexpr (requires { design_.layout(); }) {
      return visitor(design_.layout());
    } else {
      return visitor(design_);
    }
  }

  constexpr std::size_t inputs() const { return design_.inputs(); }
  constexpr std::size_t outputs() const { return design_.outputs(); }
  constexpr std::size_t nnz() const { return design_.nnz(); }
  constexpr std::size_t value_count() const { return design_.value_count(); }
  constexpr std::size_t row_degree(std::size_t row) const { return design_.row_degree(row); }
  constexpr std::size_t column_degree(std::size_t column) const { return design_.column_degree(column); }
  constexpr std::size_t column(std::size_t row, std::size_t slot) const { return design_.column(row, slot); }
  constexpr std::size_t row(std::size_t column, std::size_t slot) const { return design_.row(column, slot); }
  constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return design_.value_index(row, slot);
  }
  constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return design_.value_index_transposed(column, slot);
  }
  constexpr bool contains(std::size_t row, std::size_t column) const { return design_.contains(row, column); }

  constexpr double density() const {
    return static_cast<double>(nnz()) / static_cast<double>(outputs()) / static_cast<double>(inputs());
  }

 private:
  BIBDMask(MadeDesign made, MaskOptions const& options)
      : design_(std::move(made.design)), family_(std::move(made.family)), options_(options) {}

  D design_;
  std::string family_;
  MaskOptions options_ = {};
};

BIBDMask(MaskOptions)->BIBDMask<AnyDesign>;

}  // namespace weir::inline v1
