#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/mask/design.hpp"

namespace weir::inline v1 {

/// How many pairs of inputs meet in `meetings` outputs.
struct LambdaCount {
  std::uint64_t meetings = 0;
  std::uint64_t pairs = 0;

  friend constexpr bool operator==(LambdaCount const&, LambdaCount const&) = default;
};

namespace detail {

constexpr int bits_set(std::uint64_t word) {
  return __builtin_popcountll(word);
}

/// Number of places where both have a bit.
constexpr std::uint64_t common_bits(std::uint64_t const* a, std::uint64_t const* b, std::size_t words) {
  // Carry-save adders take eight words to four counts, so that bits are counted once in eight words.
  std::uint64_t ones = 0, twos = 0, fours = 0, eights = 0;
  std::uint64_t count = 0;
  auto const add = [](std::uint64_t& sum, std::uint64_t x, std::uint64_t y) {
    std::uint64_t const half = x ^ y;
    std::uint64_t const carry = (x & y) | (half & sum);
    sum ^= half;
    return carry;
  };
  std::size_t i = 0;
  for (; i + 8 <= words; i += 8) {
    auto const word = [&](std::size_t k) { return a[i + k] & b[i + k]; };
    std::uint64_t const t0 = add(ones, word(0), word(1));
    std::uint64_t const t1 = add(ones, word(2), word(3));
    std::uint64_t const f0 = add(twos, t0, t1);
    std::uint64_t const t2 = add(ones, word(4), word(5));
    std::uint64_t const t3 = add(ones, word(6), word(7));
    std::uint64_t const f1 = add(twos, t2, t3);
    eights = add(fours, f0, f1);
    count += 8 * static_cast<std::uint64_t>(bits_set(eights));
  }
  for (; i < words; ++i) count += static_cast<std::uint64_t>(bits_set(a[i] & b[i]));
  return count + static_cast<std::uint64_t>(bits_set(ones) + 2 * bits_set(twos) + 4 * bits_set(fours));
}

/// The rows of a design one after another, for those that read them often.
struct RowLists {
  std::vector<std::size_t> begin;
  std::vector<std::uint32_t> columns;

  template <class D>
  constexpr explicit RowLists(D const& design) {
    columns.reserve(design.nnz());
    begin.reserve(design.outputs() + 1);
    begin.push_back(0);
    for (std::size_t r = 0; r < design.outputs(); ++r) {
      std::size_t const degree = design.row_degree(r);
      for (std::size_t slot = 0; slot < degree; ++slot)
        columns.push_back(static_cast<std::uint32_t>(design.column(r, slot)));
      begin.push_back(columns.size());
    }
  }
};

/// Calls `visit(column, meetings)` for each column, where meetings[c] is that of the column and c > column,
/// until it answers false. Works by lists or by bits, whichever is less.
template <class D, class Visit>
constexpr void visit_meetings(D const& design, Visit visit) {
  RowLists const rows(design);
  std::size_t const inputs = design.inputs();
  std::size_t const words = (design.outputs() + 63) / 64;
  std::uint64_t by_lists = 0;
  for (std::size_t r = 0; r + 1 < rows.begin.size(); ++r) {
    std::uint64_t const degree = rows.begin[r + 1] - rows.begin[r];
    by_lists += degree * degree;
  }
  bool const uses_bits = by_lists > std::uint64_t{inputs} * inputs / 2 * words;

  std::vector<std::uint64_t> bits(uses_bits ? inputs * words : 0, 0);
  std::vector<std::size_t> begin(inputs + 1, 0);
  std::vector<std::uint32_t> members(uses_bits ? 0 : rows.columns.size(), 0);
  if (uses_bits) {
    for (std::size_t r = 0; r + 1 < rows.begin.size(); ++r) {
      for (std::size_t i = rows.begin[r]; i < rows.begin[r + 1]; ++i)
        bits[rows.columns[i] * words + r / 64] |= std::uint64_t{1} << (r % 64);
    }
  } else {
    for (std::uint32_t const column : rows.columns) ++begin[column + std::size_t{1}];
    for (std::size_t c = 0; c < inputs; ++c) begin[c + 1] += begin[c];
    std::vector<std::size_t> next(begin.begin(), begin.end());
    for (std::size_t r = 0; r + 1 < rows.begin.size(); ++r) {
      for (std::size_t i = rows.begin[r]; i < rows.begin[r + 1]; ++i)
        members[next[rows.columns[i]]++] = static_cast<std::uint32_t>(r);
    }
  }

  std::vector<std::uint64_t> meetings(inputs, 0);
  for (std::size_t c = 0; c < inputs; ++c) {
    if (uses_bits) {
      for (std::size_t other = c + 1; other < inputs; ++other)
        meetings[other] = common_bits(bits.data() + c * words, bits.data() + other * words, words);
    } else {
      for (std::uint64_t& m : meetings) m = 0;
      for (std::size_t m = begin[c]; m < begin[c + 1]; ++m) {
        for (std::size_t i = rows.begin[members[m]]; i < rows.begin[members[m] + std::size_t{1}]; ++i)
          ++meetings[rows.columns[i]];
      }
    }
    if (!visit(c, meetings)) return;
  }
}

}  // namespace detail

/// How often pairs of inputs meet, by ascending meetings, without the counts that are 0.
///
/// Cost: the smaller of the sum of squared row degrees and inputs^2 * outputs / 128.
template <Design D>
constexpr std::vector<LambdaCount> lambda_histogram(D const& design) {
  std::vector<std::uint64_t> pairs(design.outputs() + 1, 0);
  detail::visit_meetings(design, [&](std::size_t c, std::vector<std::uint64_t> const& meetings) {
    for (std::size_t other = c + 1; other < meetings.size(); ++other) ++pairs[meetings[other]];
    return true;
  });
  std::vector<LambdaCount> histogram;
  for (std::size_t m = 0; m < pairs.size(); ++m) {
    if (pairs[m] != 0) histogram.push_back({m, pairs[m]});
  }
  return histogram;
}

}  // namespace weir::inline v1
