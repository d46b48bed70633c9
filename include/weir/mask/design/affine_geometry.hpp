#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/group_layout.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/galois_field.hpp"

namespace weir::inline v1 {

/// The points and hyperplanes of the affine geometry of a dimension n over GF(q). Column: the coordinates
/// x_0, .., x_(n-1) as digits to the base q, x_0 the highest. Rows come in parallel classes of q: a class is
/// solved for a coordinate, x_j = sum over i < j of a_i x_i + c, where c is the row's place in the class; j
/// falls from n-1 to 0. Dimension 2 is the affine plane: y = ax + c, then x = c.
///
/// Cost: an entry takes O(n) operations of the field. No tables.
/// Errors: ContractViolation where q is no prime power, n is below 2, or q^n is not below 2^32.
class AffineGeometry {
 public:
  constexpr explicit AffineGeometry(std::uint64_t order, std::uint64_t dimension = 2)
      : field_(checked(order, dimension)), dimension_(static_cast<std::uint32_t>(dimension)) {
    points_ = detail::limited_power(order, dimension, 0xffff'ffff);
  }

  WEIR_HOST_DEVICE constexpr std::size_t inputs() const { return points_; }
  WEIR_HOST_DEVICE constexpr std::size_t outputs() const { return parallel_classes() * q(); }
  WEIR_HOST_DEVICE constexpr std::size_t nnz() const { return outputs() * block_size(); }
  WEIR_HOST_DEVICE constexpr std::size_t value_count() const { return nnz(); }
  WEIR_HOST_DEVICE constexpr std::size_t row_degree(std::size_t) const { return block_size(); }
  WEIR_HOST_DEVICE constexpr std::size_t column_degree(std::size_t) const { return parallel_classes(); }

  /// How many there are. Row i of class c is row c * rows_per_class() + i; every input is in one row of each.
  WEIR_HOST_DEVICE constexpr std::size_t parallel_classes() const { return (points_ - 1) / (q() - 1); }
  WEIR_HOST_DEVICE constexpr std::size_t rows_per_class() const { return q(); }

  WEIR_HOST_DEVICE constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    Solved const solved = solved_for(row / q());
    // The slot gives all coordinates but the one that is solved for.
    std::size_t const low = power(dimension_ - 1 - solved.coordinate);
    std::size_t const high = slot / low;
    std::uint32_t const x = field_.add(sum(solved, high), static_cast<std::uint32_t>(row % q()));
    return (high * q() + x) * low + slot % low;
  }
  WEIR_HOST_DEVICE constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    Solved const solved = solved_for(slot);
    std::size_t const high_and_x = column / power(dimension_ - 1 - solved.coordinate);
    auto const x = static_cast<std::uint32_t>(high_and_x % q());
    return slot * q() + field_.subtract(x, sum(solved, high_and_x / q()));
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return row * block_size() + slot;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    std::size_t const low = power(dimension_ - 1 - solved_for(slot).coordinate);
    return value_index(row(column, slot), column / (low * q()) * low + column % low);
  }
  WEIR_HOST_DEVICE constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    if (!contains(row, column)) return no_slot;
    std::size_t const low = power(dimension_ - 1 - solved_for(row / q()).coordinate);
    return column / (low * q()) * low + column % low;
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    return contains(row, column) ? row / q() : no_slot;
  }
  WEIR_HOST_DEVICE constexpr bool contains(std::size_t row, std::size_t column) const {
    return this->row(column, row / q()) == row;
  }

 private:
  static constexpr std::uint64_t checked(std::uint64_t order, std::uint64_t dimension) {
    detail::check_geometry(order, dimension, 0);
    return order;
  }

  /// What a parallel class is solved for: x_coordinate, by the coefficients that are the digits of `factors`.
  struct Solved {
    std::uint32_t coordinate;
    std::size_t factors;
  };

  WEIR_HOST_DEVICE constexpr std::size_t q() const { return field_.order(); }
  WEIR_HOST_DEVICE constexpr std::size_t block_size() const { return points_ / q(); }
  WEIR_HOST_DEVICE constexpr std::size_t power(std::uint32_t exponent) const {
    std::size_t result = 1;
    for (std::uint32_t i = 0; i < exponent; ++i) result *= q();
    return result;
  }
  WEIR_HOST_DEVICE constexpr Solved solved_for(std::size_t parallel_class) const {
    std::uint32_t coordinate = dimension_ - 1;
    for (std::size_t count = block_size(); parallel_class >= count; count /= q()) {
      parallel_class -= count;
      --coordinate;
    }
    return {coordinate, parallel_class};
  }
  /// The sum of a_i x_i, of the digits of the factors and of `high`.
  WEIR_HOST_DEVICE constexpr std::uint32_t sum(Solved solved, std::size_t high) const {
    std::uint32_t total = 0;
    for (; solved.factors != 0; solved.factors /= q(), high /= q()) {
      total = field_.add(total, field_.multiply(static_cast<std::uint32_t>(solved.factors % q()),
                                                static_cast<std::uint32_t>(high % q())));
    }
    return total;
  }

  GaloisField field_;
  std::uint32_t dimension_;
  std::size_t points_ = 0;
};

}  // namespace weir::inline v1
