#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/smaller.hpp"
#include "weir/exec/group_layout.hpp"
#include "weir/mask/any_shape.hpp"
#include "weir/mask/design/owner.hpp"
#include "weir/mask/galois_field.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {

struct GroupOptions {
  std::size_t outputs = 0;
  std::size_t inputs = 0;
  std::uint32_t group = 1;   ///< n, a prime power; 1 gives the full matrix
  std::uint32_t levels = 1;  ///< m: the density is m/n
  std::uint64_t seed = 0;
};

/// The group design of a shape: cell (a, c) holds the diagonal at g^seed * alpha_a * gamma_c in GF(N),
/// modulo n, where N is the smallest power of p that is neither below n nor below the numbers of classes and
/// groups. Slopes alpha and places gamma are all elements of GF(N) where there are N of them, else powers of
/// the generator. Further levels are drawn per cell.
///
/// Its second singular value is at most sqrt(N) with one level, whatever is cut off.
/// Cost: 2 bytes per cell, made in a few nanoseconds, and up to 1,022 bytes where levels are drawn.
/// Errors: ContractViolation where n is no prime power or greater than a side, m is not below n, or 2 <= m <=
/// n-2 and n is no power of two.
class GroupDesign : public DesignOwner<GroupDesign> {
 public:
  constexpr explicit GroupDesign(GroupOptions const& options) : shape_(checked(options)) {
    if (shape_.group == 1) return;
    fill_offsets();
    bool const draws_levels = shape_.levels > 1 && shape_.levels + 1 < shape_.group;
    if (draws_levels) fill_levels();
  }

  /// Valid as long as this design is.
  constexpr GroupLayout layout() const {
    return {shape_, cells_.empty() ? nullptr : cells_.data(), powers_.empty() ? nullptr : powers_.data()};
  }
  /// All entries that this one does not have: the other levels.
  /// Errors: ContractViolation for the full matrix.
  constexpr GroupDesign complement() const {
    if (shape_.group == 1) throw ContractViolation("complement: that of the full matrix has no entries");
    GroupDesign other = *this;
    other.shape_.levels = shape_.group - shape_.levels;
    other.shape_.first_level = shape_.first_level == 0 ? shape_.levels : 0;
    return other;
  }

  /// N, which bounds the singular values.
  constexpr std::uint64_t field_order() const { return field_order_of(shape_); }

 private:
  static constexpr std::uint64_t field_order_of(GroupShape const& shape) {
    std::uint64_t order = shape.group;
    while (order < shape.classes || order < shape.groups) order *= shape.prime;
    return order;
  }
  static constexpr GroupShape checked(GroupOptions const& options) {
    detail::check_sides(options.outputs, options.inputs);
    std::uint32_t const n = options.group;
    GroupShape shape;
    if (n != 1) shape.prime = detail::checked_prime_power(n).prime;
    std::size_t const side = detail::smaller(options.outputs, options.inputs);
    if (n > side) {
      auto const is_group = [](std::uint64_t q) { return q == 1 || prime_power(q); };
      detail::refuse_parameter(
          "order", n,
          detail::with_nearest("greater than " + std::to_string(side) + ", the smaller side",
                               detail::nearest(n, is_group, side)));
    }
    if (options.levels == 0 || (n > 1 && options.levels >= n) || (n == 1 && options.levels != 1)) {
      detail::refuse_parameter(
          "levels", options.levels,
          n == 1 ? "1 would be right" : "from 1 to " + std::to_string(n - 1) + " would be right");
    }
    if (shape.prime != 2 && options.levels > 1 && options.levels + 1 < n) {
      detail::refuse_parameter("levels", options.levels,
                               "with order " + std::to_string(n) + ", no power of two, 1 or " +
                                   std::to_string(n - 1) + " would be right");
    }
    std::size_t const classes = (options.outputs + n - 1) / n;
    std::size_t const groups = (options.inputs + n - 1) / n;
    if (classes > 0xffff'ffff || groups > 0xffff'ffff || n > 0xffff) {
      throw ContractViolation("order " + std::to_string(n) +
                              ": at most 65535 would be right, and sides below 2^32 times that");
    }
    shape.outputs = options.outputs;
    shape.inputs = options.inputs;
    shape.group = n;
    shape.classes = static_cast<std::uint32_t>(classes);
    shape.groups = static_cast<std::uint32_t>(groups);
    shape.levels = options.levels;
    // Beyond one half, the levels that a design of density 1 - d would have are left out.
    shape.first_level = n > 1 && options.levels > n / 2 ? n - options.levels : 0;
    shape.seed = options.seed;
    if (n != 1 && field_order_of(shape) > detail::largest_number) {
      detail::refuse_parameter("order", n,
                               "its field for " + std::to_string(options.outputs) + " x " +
                                   std::to_string(options.inputs) +
                                   " would have more than 2^32 - 1 elements; a larger order would be right");
    }
    return shape;
  }

  /// An offset other than that of 0 is read off a list of the generator's powers: where places are powers,
  /// too, a row lies there as it is.
  constexpr void fill_offsets() {
    GaloisField const field(field_order());
    std::uint32_t const period = field.order() - 1;
    bool const slopes_are_elements = shape_.classes == field.order();
    bool const places_are_elements = shape_.groups == field.order();
    std::vector<std::uint32_t> logarithms;
    if (slopes_are_elements || places_are_elements) logarithms = logarithms_of(field);
    std::uint32_t power = field.power(field.generator(), shape_.seed % period);
    std::vector<std::uint16_t> powers(std::size_t{slopes_are_elements ? period : shape_.classes} +
                                          (places_are_elements ? period : shape_.groups) - 1,
                                      0);
    for (std::uint16_t& offset : powers) {
      offset = static_cast<std::uint16_t>(power % shape_.group);
      power = times_generator(field, power);
    }
    std::vector<std::uint16_t> row(places_are_elements ? shape_.groups : 0, 0);
    cells_.reserve(std::size_t{shape_.classes} * shape_.groups);
    for (std::uint32_t a = 0; a < shape_.classes; ++a) {
      if (slopes_are_elements && a == 0) {
        cells_.resize(shape_.groups, 0);
        continue;
      }
      std::uint16_t const* of_places = powers.data() + (slopes_are_elements ? logarithms[a] : a);
      if (places_are_elements) {
        fill_multiples(of_places, logarithms, row.data());
        of_places = row.data();
      }
      cells_.insert(cells_.end(), of_places, of_places + shape_.groups);
    }
  }

  /// The multiples of an element by all elements, from those by powers of the generator.
  constexpr void fill_multiples(std::uint16_t const* of_powers, std::vector<std::uint32_t> const& logarithms,
                                std::uint16_t* row) const {
    if (shape_.prime != 2) {
      for (std::uint32_t c = 1; c < shape_.groups; ++c) row[c] = of_powers[logarithms[c]];
      return;
    }
    // Sums of the multiples by 1, 2, 4, ..: in vectors, where tables are read one by one.
    for (std::uint32_t unit = 1; unit < shape_.groups; unit *= 2) {
      std::uint16_t const of_unit = *of_powers++;
      std::uint16_t* const next = row + unit;
      for (std::uint32_t c = 0; c < unit; ++c) next[c] = static_cast<std::uint16_t>(row[c] ^ of_unit);
    }
  }

  /// Of all elements but 0.
  static constexpr std::vector<std::uint32_t> logarithms_of(GaloisField const& field) {
    std::vector<std::uint32_t> logarithms(field.order(), 0);
    std::uint32_t element = 1;
    for (std::uint32_t power = 0; power + 1 < field.order(); ++power) {
      logarithms[element] = power;
      element = times_generator(field, element);
    }
    return logarithms;
  }

  static constexpr std::uint32_t times_generator(GaloisField const& field, std::uint32_t element) {
    if (field.degree() == 1) return field.multiply(element, field.generator());
    if (field.prime() != 2) return field.times_x(element);
    std::uint32_t const shifted = element << 1;  // times x, without divisions
    return shifted < field.order() ? shifted : shifted ^ static_cast<std::uint32_t>(field.modulus());
  }

  constexpr void fill_levels() {
    GaloisField const field(GroupLayout::field(shape_));
    std::uint32_t const order = field.order() - 1;
    powers_.resize(std::size_t{order} + field.order(), 0);
    std::uint32_t element = 1;
    for (std::uint32_t power = 0; power < order; ++power) {
      powers_[power] = static_cast<std::uint16_t>(element);
      powers_[order + element] = static_cast<std::uint16_t>(power);
      element = field.multiply(element, field.generator());
    }
    if (shape_.group > 256) return;  // as a cell has no room for keys, they are drawn again
    for (std::uint32_t a = 0; a < shape_.classes; ++a) {
      for (std::uint32_t c = 0; c < shape_.groups; ++c) {
        std::uint16_t& cell = cells_[std::size_t{a} * shape_.groups + c];
        cell = static_cast<std::uint16_t>(cell | GroupLayout::drawn_key(shape_, a, c) << 8);
      }
    }
  }

  GroupShape shape_;
  std::vector<std::uint16_t> cells_;
  std::vector<std::uint16_t> powers_;
};

}  // namespace weir::inline v1
