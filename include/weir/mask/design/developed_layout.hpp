#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weir/core/host_device.hpp"
#include "weir/exec/find_slot.hpp"
#include "weir/mask/galois_field.hpp"

namespace weir::inline v1 {

/// The elements of a field under addition.
struct FieldAddition {
  GaloisField field;

  WEIR_HOST_DEVICE constexpr std::uint32_t order() const { return field.order(); }
  WEIR_HOST_DEVICE constexpr std::uint32_t add(std::uint32_t a, std::uint32_t b) const {
    return field.add(a, b);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t subtract(std::uint32_t a, std::uint32_t b) const {
    return field.subtract(a, b);
  }
};

/// Pairs (x, y) of elements of two fields under addition; the pair is x times the second order, plus y.
struct PairAddition {
  GaloisField first;
  GaloisField second;

  WEIR_HOST_DEVICE constexpr std::uint32_t order() const { return first.order() * second.order(); }
  WEIR_HOST_DEVICE constexpr std::uint32_t add(std::uint32_t a, std::uint32_t b) const {
    std::uint32_t const n = second.order();
    return first.add(a / n, b / n) * n + second.add(a % n, b % n);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t subtract(std::uint32_t a, std::uint32_t b) const {
    std::uint32_t const n = second.order();
    return first.subtract(a / n, b / n) * n + second.subtract(a % n, b % n);
  }
};

/// How the square design of a difference set in a commutative group lies in memory: row i is the set plus i.
/// Values lie as in a cyclic design.
///
/// Cost: an entry costs an addition in the group, a search for one O(log k) more. Tables: 4 bytes per element
/// of the set.
template <class Group>
class DevelopedLayout {
 public:
  Group group;
  std::uint32_t size = 0;              ///< k
  std::uint32_t const* set = nullptr;  ///< k, ascending, below the order of the group

  WEIR_HOST_DEVICE constexpr std::size_t inputs() const { return group.order(); }
  WEIR_HOST_DEVICE constexpr std::size_t outputs() const { return group.order(); }
  WEIR_HOST_DEVICE constexpr std::size_t nnz() const { return inputs() * size; }
  WEIR_HOST_DEVICE constexpr std::size_t value_count() const { return nnz(); }
  WEIR_HOST_DEVICE constexpr std::size_t row_degree(std::size_t) const { return size; }
  WEIR_HOST_DEVICE constexpr std::size_t column_degree(std::size_t) const { return size; }
  WEIR_HOST_DEVICE constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    return group.add(set[slot], static_cast<std::uint32_t>(row));
  }
  WEIR_HOST_DEVICE constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    return group.subtract(static_cast<std::uint32_t>(column), set[slot]);
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return slot * inputs() + row;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return slot * inputs() + row(column, slot);
  }
  WEIR_HOST_DEVICE constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    std::uint32_t const wanted =
        group.subtract(static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(row));
    return detail::find_slot(set, size, wanted);
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    return row_slot(row, column);
  }
  WEIR_HOST_DEVICE constexpr bool contains(std::size_t row, std::size_t column) const {
    return row_slot(row, column) != no_slot;
  }

  constexpr std::size_t table_bytes() const { return std::size_t{size} * sizeof *set; }
  void write_tables(void* out) const {
    if (size != 0) std::memcpy(out, set, table_bytes());
  }
  DevelopedLayout with_tables(void const* tables) const {
    return {group, size, static_cast<std::uint32_t const*>(tables)};
  }
};

}  // namespace weir::inline v1
