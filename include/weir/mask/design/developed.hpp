#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/group_layout.hpp"
#include "weir/mask/galois_field.hpp"

namespace weir::inline v1 {

/// The elements of a field under addition.
struct FieldAddition {
  GaloisField field;

  constexpr std::uint32_t order() const { return field.order(); }
  constexpr std::uint32_t add(std::uint32_t a, std::uint32_t b) const { return field.add(a, b); }
  constexpr std::uint32_t subtract(std::uint32_t a, std::uint32_t b) const { return field.subtract(a, b); }
};

/// Pairs (x, y) of elements of two fields under addition; the pair is x times the second order, plus y.
struct PairAddition {
  GaloisField first;
  GaloisField second;

  constexpr std::uint32_t order() const { return first.order() * second.order(); }
  constexpr std::uint32_t add(std::uint32_t a, std::uint32_t b) const {
    std::uint32_t const n = second.order();
    return first.add(a / n, b / n) * n + second.add(a % n, b % n);
  }
  constexpr std::uint32_t subtract(std::uint32_t a, std::uint32_t b) const {
    std::uint32_t const n = second.order();
    return first.subtract(a / n, b / n) * n + second.subtract(a % n, b % n);
  }
};

/// The square design of a difference set in a commutative group: row i is the set plus i. Values lie as in a
/// cyclic design.
///
/// Cost: an entry costs an addition in the group, a search for one O(log k) more. 4 bytes per element of the
/// set.
/// Errors: ContractViolation where the set does not ascend or is not in the group.
template <class Group>
class DevelopedDesign {
 public:
  constexpr DevelopedDesign(Group group, std::vector<std::uint32_t> set)
      : group_(std::move(group)), set_(std::move(set)) {
    for (std::size_t i = 0; i < set_.size(); ++i) {
      if (set_[i] >= group_.order() || (i != 0 && set_[i] <= set_[i - 1]))
        throw ContractViolation("DevelopedDesign: the set must ascend and lie in the group");
    }
  }

  constexpr std::vector<std::uint32_t> const& set() const { return set_; }

  constexpr std::size_t inputs() const { return group_.order(); }
  constexpr std::size_t outputs() const { return group_.order(); }
  constexpr std::size_t nnz() const { return inputs() * set_.size(); }
  constexpr std::size_t value_count() const { return nnz(); }
  constexpr std::size_t row_degree(std::size_t) const { return set_.size(); }
  constexpr std::size_t column_degree(std::size_t) const { return set_.size(); }
  constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    return group_.add(set_[slot], static_cast<std::uint32_t>(row));
  }
  constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    return group_.subtract(static_cast<std::uint32_t>(column), set_[slot]);
  }
  constexpr std::size_t value_index(std::size_t row, std::size_t slot) const { return slot * inputs() + row; }
  constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return slot * inputs() + row(column, slot);
  }
  constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    std::uint32_t const wanted =
        group_.subtract(static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(row));
    std::size_t low = 0;
    for (std::size_t high = set_.size(); low < high;) {
      std::size_t const middle = (low + high) / 2;
      if (set_[middle] < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < set_.size() && set_[low] == wanted ? low : no_slot;
  }
  constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    return row_slot(row, column);
  }
  constexpr bool contains(std::size_t row, std::size_t column) const {
    return row_slot(row, column) != no_slot;
  }

 private:
  Group group_;
  std::vector<std::uint32_t> set_;
};

}  // namespace weir::inline v1
