#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/group_layout.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {

constexpr bool is_steiner_order(std::uint64_t inputs) {
  return inputs >= 7 && inputs <= 0xffff && (inputs % 6 == 1 || inputs % 6 == 3);
}

/// A Steiner triple system: any two of the v inputs share exactly one output of three. For v = 6t + 3 by
/// Bose, for v = 6t + 1 by Skolem: points (x, i) of Z_m x Z_3 at column 3x + i, and with Skolem one more,
/// the last; triples from a commutative product x*y on Z_m.
///
/// Cost: an entry in O(1), no tables.
/// Errors: ContractViolation unless v is 1 or 3 modulo 6, from 7 to 65535.
/// Source: [bose1939], [skolem1958].
class SteinerTripleSystem {
 public:
  constexpr explicit SteinerTripleSystem(std::uint64_t inputs) : v_(static_cast<std::uint32_t>(inputs)) {
    detail::check_parameter("inputs", inputs,
                            "a Steiner triple system needs 6t + 1 or 6t + 3, from 7 to 65535",
                            is_steiner_order, 0xffff);
    m_ = v_ / 3;
  }

  WEIR_HOST_DEVICE constexpr std::size_t inputs() const { return v_; }
  WEIR_HOST_DEVICE constexpr std::size_t outputs() const { return std::size_t{v_} * (v_ - 1) / 6; }
  WEIR_HOST_DEVICE constexpr std::size_t nnz() const { return 3 * outputs(); }
  WEIR_HOST_DEVICE constexpr std::size_t value_count() const { return nnz(); }
  WEIR_HOST_DEVICE constexpr std::size_t row_degree(std::size_t) const { return 3; }
  WEIR_HOST_DEVICE constexpr std::size_t column_degree(std::size_t) const { return (v_ - 1) / 2; }

  WEIR_HOST_DEVICE constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    return triple(row).column[slot];
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return 3 * row + slot;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    std::size_t const r = row(column, slot);
    return 3 * r + row_slot(r, column);
  }
  WEIR_HOST_DEVICE constexpr bool contains(std::size_t row, std::size_t column) const {
    return row_slot(row, column) != no_slot;
  }
  WEIR_HOST_DEVICE constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    Triple const t = triple(row);
    for (std::size_t slot = 0; slot < 3; ++slot) {
      if (t.column[slot] == column) return slot;
    }
    return no_slot;
  }

  /// Slots of a column: first the m-1 triples that hold it as one of a pair, then those that hold it as their
  /// product, then the special ones.
  WEIR_HOST_DEVICE constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    if (column == 3 * std::size_t{m_}) return special_begin() + m_ / 2 + slot;  // infinity
    auto const x = static_cast<std::uint32_t>(column / 3);
    auto const i = static_cast<std::uint32_t>(column % 3);
    auto s = static_cast<std::uint32_t>(slot);
    if (s < m_ - 1) {
      std::uint32_t const other = s < x ? s : s + 1;
      return row_of_pair(x, other, i);
    }
    s -= m_ - 1;
    std::uint32_t const before = (i + 2) % 3;
    if (is_bose()) {
      std::uint32_t const pairs = (m_ - 1) / 2;
      if (s < pairs) return row_of_pair((x + s + 1) % m_, (x + m_ - s - 1) % m_, before);
      return special_begin() + x;
    }
    // y * z = x where y + z = sum, modulo m.
    std::uint32_t const half = m_ / 2;
    std::uint32_t const sum = x < half ? 2 * x : 2 * (x - half) + 1;
    std::uint32_t const low_pairs = (sum + 1) / 2;               // y < z, y + z = sum
    std::uint32_t const pairs = sum % 2 == 0 ? half - 1 : half;  // and with y + z = sum + m
    if (s < pairs) {
      std::uint32_t const y = s < low_pairs ? s : sum + 1 + (s - low_pairs);
      return row_of_pair(y, (sum + m_ - y) % m_, before);
    }
    s -= pairs;
    // Left are {(x,0),(x,1),(x,2)} for x < t, {infinity, (x+t, i), (x, i+1)}.
    if (x < half && s == 0) return special_begin() + x;
    return special_begin() + half + (x < half ? 3 * x + before : 3 * (x - half) + i);
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    if (!contains(row, column)) return no_slot;
    for (std::size_t slot = 0;; ++slot) {
      if (this->row(column, slot) == row) return slot;
    }
  }

 private:
  struct Triple {
    std::size_t column[3];
  };

  WEIR_HOST_DEVICE constexpr bool is_bose() const { return v_ % 6 == 3; }
  WEIR_HOST_DEVICE constexpr std::size_t pairs() const { return std::size_t{m_} * (m_ - 1) / 2; }
  WEIR_HOST_DEVICE constexpr std::size_t special_begin() const { return 3 * pairs(); }

  WEIR_HOST_DEVICE static constexpr std::size_t point(std::uint32_t x, std::uint32_t i) {
    return 3 * std::size_t{x} + i;
  }

  WEIR_HOST_DEVICE constexpr std::uint32_t product(std::uint32_t x, std::uint32_t y) const {
    std::uint32_t const sum = (x + y) % m_;
    if (is_bose()) return static_cast<std::uint32_t>(std::uint64_t{sum} * ((m_ + 1) / 2) % m_);
    return sum % 2 == 0 ? sum / 2 : (sum - 1) / 2 + m_ / 2;
  }

  /// Rows of pairs: by their difference 1 .. m/2, then by where they begin, then by i. (For an even m, the
  /// last difference has half as many.)
  WEIR_HOST_DEVICE constexpr std::size_t row_of_pair(std::uint32_t x, std::uint32_t y,
                                                     std::uint32_t i) const {
    std::uint32_t difference = (y + m_ - x) % m_;
    std::uint32_t start = x;
    if (2 * difference > m_ || (2 * difference == m_ && x > y)) {
      difference = m_ - difference;
      start = y;
    }
    return (std::size_t{difference - 1} * m_ + start) * 3 + i;
  }

  WEIR_HOST_DEVICE constexpr Triple triple(std::size_t row) const {
    if (row < special_begin()) {
      auto const i = static_cast<std::uint32_t>(row % 3);
      auto const x = static_cast<std::uint32_t>(row / 3 % m_);
      auto const y = static_cast<std::uint32_t>((x + row / 3 / m_ + 1) % m_);
      return {{point(x, i), point(y, i), point(product(x, y), (i + 1) % 3)}};
    }
    auto s = static_cast<std::uint32_t>(row - special_begin());
    std::uint32_t const threes = is_bose() ? m_ : m_ / 2;
    if (s < threes) return {{point(s, 0), point(s, 1), point(s, 2)}};
    s -= threes;
    return {{3 * std::size_t{m_}, point(s / 3 + m_ / 2, s % 3), point(s / 3, (s % 3 + 1) % 3)}};
  }

  std::uint32_t v_;
  std::uint32_t m_ = 0;
};

}  // namespace weir::inline v1
