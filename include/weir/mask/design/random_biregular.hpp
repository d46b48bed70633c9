#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/random.hpp"
#include "weir/mask/any_shape.hpp"
#include "weir/mask/design/complement.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/design/random.hpp"

namespace weir::inline v1 {
namespace detail {

/// The rows of a random biregular mask while repeated entries are repaired.
class BiregularRows {
 public:
  BiregularRows(std::size_t outputs, std::size_t inputs, std::size_t degree, std::uint64_t seed)
      : outputs_(outputs),
        inputs_(inputs),
        degree_(degree),
        words_({.seed = seed, .step = 1, .site = random_mask_site}),
        entries_(outputs * degree) {
    deal_stubs(seed);
    repair();
  }

  IndexedDesign<> design() {
    std::vector<std::uint32_t> row_begin(outputs_ + 1, 0);
    for (std::size_t r = 0; r < outputs_; ++r) {
      row_begin[r + 1] = static_cast<std::uint32_t>((r + 1) * degree_);
    }
    std::vector<Position> positions(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i)
      positions[i] = {static_cast<std::uint32_t>(i / degree_), entries_[i]};
    counting_sort(positions, inputs_, [](Position const& p) { return p.column; });
    counting_sort(positions, outputs_, [](Position const& p) { return p.row; });
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i] = positions[i].column;
    return IndexedDesign<>(inputs_, std::move(row_begin), std::move(entries_));
  }

 private:
  /// Each column as often as its degree, in random order.
  void deal_stubs(std::uint64_t seed) {
    std::size_t const least = entries_.size() / inputs_;
    std::vector<std::uint32_t> order(inputs_);
    permutation(seed, 2, std::span{order});
    std::vector<std::uint32_t> stubs(entries_.size());
    std::size_t at = 0;
    for (std::size_t i = 0; i < inputs_; ++i) {
      std::size_t const degree = least + (i < entries_.size() % inputs_ ? 1 : 0);
      for (std::size_t copy = 0; copy < degree; ++copy) stubs[at++] = order[i];
    }
    std::vector<std::uint32_t> places(entries_.size());
    permutation(seed, 3, std::span{places});
    for (std::size_t i = 0; i < stubs.size(); ++i) entries_[places[i]] = stubs[i];
  }

  /// An entry that its row has twice changes places with a random one, where neither row then has one twice.
  void repair() {
    if (uses_bits()) bits_.resize(outputs_ * words_per_row(), 0);
    for (std::size_t i = 0; uses_bits() && i < entries_.size(); ++i) set_bit(i / degree_, entries_[i], true);
    std::vector<std::uint32_t> last_row(inputs_, 0xffff'ffff);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      std::uint32_t const row = static_cast<std::uint32_t>(i / degree_);
      if (i % degree_ == 0 && uses_bits()) renew_bits(row);
      std::uint32_t& last = last_row[entries_[i]];
      if (last != row) {
        last = row;
        continue;
      }
      std::size_t other = random_entry();
      while (has(row, entries_[other]) || has(other / degree_, entries_[i])) other = random_entry();
      if (uses_bits()) {
        set_bit(other / degree_, entries_[other], false);
        set_bit(other / degree_, entries_[i], true);
        set_bit(row, entries_[other], true);
      }
      std::uint32_t const moved = entries_[i];
      entries_[i] = entries_[other];
      entries_[other] = moved;
      last_row[entries_[i]] = row;
    }
  }

  std::size_t random_entry() { return words_.below(static_cast<std::uint32_t>(entries_.size())); }

  bool has(std::size_t row, std::uint32_t column) const {
    if (uses_bits()) return (bits_[row * words_per_row() + column / 64] >> (column % 64) & 1) != 0;
    std::uint32_t const* const entries = entries_.data() + row * degree_;
    std::uint32_t found = 0;
    for (std::size_t i = 0; i < degree_; ++i) found |= entries[i] == column ? 1u : 0u;
    return found != 0;
  }

  /// A bit per position, where that takes no more memory than the entries do.
  bool uses_bits() const { return degree_ >= 64 && degree_ * 32 >= inputs_; }
  std::size_t words_per_row() const { return (inputs_ + 63) / 64; }
  void set_bit(std::size_t row, std::uint32_t column, bool value) {
    std::uint64_t& word = bits_[row * words_per_row() + column / 64];
    std::uint64_t const bit = std::uint64_t{1} << (column % 64);
    word = value ? word | bit : word & ~bit;
  }
  /// A row that lost one of two equal entries lost its bit, too. Before it is repaired, its bits are right.
  void renew_bits(std::size_t row) {
    for (std::size_t w = 0; w < words_per_row(); ++w) bits_[row * words_per_row() + w] = 0;
    for (std::size_t i = 0; i < degree_; ++i) set_bit(row, entries_[row * degree_ + i], true);
  }

  std::size_t outputs_;
  std::size_t inputs_;
  std::size_t degree_;
  WordSequence words_;
  std::vector<std::uint32_t> entries_;
  std::vector<std::uint64_t> bits_ = {};
};

}  // namespace detail

/// A random mask with exactly `row_degree` entries in each row and floor or ceil of the mean in each column.
///
/// Errors: ContractViolation unless the degree is from 1 to the inputs, or from 2^32 entries on.
inline IndexedDesign<> random_biregular(std::size_t outputs, std::size_t inputs, std::size_t row_degree,
                                        std::uint64_t seed) {
  detail::check_indexed_sides(outputs, inputs);
  if (row_degree == 0 || row_degree > inputs) {
    throw ContractViolation("row-degree " + std::to_string(row_degree) + ": from 1 to " +
                            std::to_string(inputs) + ", the inputs, would be right");
  }
  if (row_degree > detail::most_entries / outputs) {
    detail::refuse_parameter("row-degree", row_degree,
                             "at most " + std::to_string(detail::most_entries / outputs) + " with " +
                                 std::to_string(outputs) + " outputs, of 2^32 - 1 entries, would be right");
  }
  // Near full density hardly any exchange is allowed.
  bool const is_dense = row_degree > inputs / 2;
  std::size_t const degree = is_dense ? inputs - row_degree : row_degree;
  IndexedDesign<> const sparse = detail::BiregularRows(outputs, inputs, degree, seed).design();
  return is_dense ? complement(sparse) : sparse;
}

}  // namespace weir::inline v1
