#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>

#include "weir/core/convert.hpp"
#include "weir/tensor/memory_space.hpp"
#include "weir/tensor/view.hpp"

// Lists of (index, value) pairs in host memory, and what the sparse sums do with them. Indices ascend.

namespace weir::inline v1::detail {

template <class Real>
struct PairList {
  std::uint32_t const* indices = nullptr;
  Real const* values = nullptr;
  std::size_t count = 0;

  PairList part(std::size_t begin, std::size_t end) const {
    return {indices + begin, values + begin, end - begin};
  }
};

/// Pairs in one piece, as they are sent: the indices, filled up to a whole word, then the values.
template <class Real>
class PairRoom {
 public:
  static constexpr std::size_t words(std::size_t count) {
    return (count * sizeof(std::uint32_t) + 7) / 8 + (count * sizeof(Real) + 7) / 8;
  }

  PairRoom() = default;
  /// `memory` has `words(count)` words.
  PairRoom(std::uint64_t* memory, std::size_t count) : memory_(memory), count_(count) {}

  /// For so many pairs in all, in one or more pieces.
  static constexpr std::size_t words_of_pieces(std::size_t count, std::size_t pieces) {
    return count == 0 ? 0 : words(count) + 2 * pieces;
  }

  std::uint32_t* indices() const { return reinterpret_cast<std::uint32_t*>(memory_); }
  Real* values() const { return reinterpret_cast<Real*>(memory_ + (count_ * sizeof(std::uint32_t) + 7) / 8); }
  std::size_t count() const { return count_; }
  PairList<Real> list() const { return {indices(), values(), count_}; }
  TensorView<std::uint64_t, HostSpace> message() const { return {memory_, words(count_)}; }

  void copy_from(PairList<Real> const& list) const {
    if (count_ == 0) return;
    std::memcpy(indices(), list.indices, count_ * sizeof(std::uint32_t));
    std::memcpy(values(), list.values, count_ * sizeof(Real));
  }

 private:
  std::uint64_t* memory_ = nullptr;
  std::size_t count_ = 0;
};

/// How many values are not 0.
template <class Real>
std::size_t count_non_zero(TensorView<Real, HostSpace> values) {
  std::size_t count = 0;
  for (Real const value : values) count += value != Real{} ? 1 : 0;
  return count;
}

/// Writes the values that are not 0, at most as many as there is room for, with indices that count from
/// `first`.
template <class Real>
void collect_non_zero(TensorView<Real, HostSpace> values, std::size_t first, PairRoom<Real> const& room) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < values.size() && taken < room.count(); ++i) {
    if (values[i] == Real{}) continue;
    room.indices()[taken] = static_cast<std::uint32_t>(first + i);
    room.values()[taken++] = values[i];
  }
}

/// How many of the indices are below `bound`.
inline std::size_t count_below(std::uint32_t const* indices, std::size_t count, std::size_t bound) {
  std::size_t begin = 0;
  while (count > 0) {
    std::size_t const half = count / 2;
    if (indices[begin + half] < bound) {
      begin += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return begin;
}

/// out = the sum of the lists `list_of(0)`, `list_of(1)`, .., one after another, where `out` is the slots
/// from `first` on; others are passed over. Their values may be of a smaller type. The threads of the
/// executor's team, if it has one, share it.
template <class E, class ListOf, class Real>
void sum_of_lists(E const& point, std::size_t lists, ListOf const& list_of, TensorView<Real, HostSpace> out,
                  std::size_t first = 0) {
  constexpr std::size_t block = 8192;  // stays in the first-level cache
  auto const sum_block = [&](std::size_t number) {
    std::size_t const begin = number * block;
    std::size_t const end = out.size() - begin < block ? out.size() : begin + block;
    for (std::size_t i = begin; i < end; ++i) out[i] = Real{};
    for (std::size_t number_of_list = 0; number_of_list < lists; ++number_of_list) {
      auto const list = list_of(number_of_list);
      std::size_t j = count_below(list.indices, list.count, first + begin);
      for (; j < list.count && list.indices[j] < first + end; ++j)
        out[list.indices[j] - first] += convert<Real>(list.values[j]);
    }
  };
  std::size_t const blocks = (out.size() + block - 1) / block;
  if constexpr (requires { point.team().run(blocks, sum_block); }) {
    point.team().run(blocks, sum_block);
  } else {
    for (std::size_t number = 0; number < blocks; ++number) sum_block(number);
  }
}

template <class E, class Real>
void sum_lists(E const& point, std::type_identity_t<std::span<PairList<Real> const>> lists,
               TensorView<Real, HostSpace> out, std::size_t first = 0) {
  sum_of_lists(
      point, lists.size(), [&](std::size_t number) { return lists[number]; }, out, first);
}

template <class Real>
void add_list(PairList<Real> const& list, Real* out) {
  for (std::size_t j = 0; j < list.count; ++j) out[list.indices[j]] += list.values[j];
}

/// The union of two lists, left + right where both have a slot. Returns its size. The result has room for
/// both.
template <class Real>
std::size_t merge_lists(PairList<Real> const& left, PairList<Real> const& right, std::uint32_t* indices,
                        Real* values) {
  std::size_t l = 0;
  std::size_t r = 0;
  std::size_t count = 0;
  for (; l < left.count || r < right.count; ++count) {
    bool const has_left = l < left.count && (r == right.count || left.indices[l] <= right.indices[r]);
    bool const has_right = r < right.count && (l == left.count || right.indices[r] <= left.indices[l]);
    indices[count] = has_left ? left.indices[l] : right.indices[r];
    values[count] = has_left && has_right ? left.values[l] + right.values[r]
                    : has_left            ? left.values[l]
                                          : right.values[r];
    l += has_left ? 1 : 0;
    r += has_right ? 1 : 0;
  }
  return count;
}

/// Grows with the magnitude; a NaN is the largest.
template <class Real>
auto magnitude_bits(Real value) {
  using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
  return static_cast<Bits>(std::bit_cast<Bits>(value) << 1) >> 1;
}

/// The k-th largest magnitude, 1 <= k <= count.
template <class Real>
auto largest_magnitude(Real const* values, std::size_t count, std::size_t k) {
  decltype(magnitude_bits(Real{})) found = 0;
  for (unsigned shift = 8 * sizeof(found); shift > 0;) {
    shift -= 8;
    std::size_t counts[256] = {};
    for (std::size_t i = 0; i < count; ++i) {
      auto const bits = magnitude_bits(values[i]);
      if ((bits ^ found) >> shift >> 8 == 0) ++counts[(bits >> shift) & 255];
    }
    unsigned digit = 255;
    while (counts[digit] < k) k -= counts[digit--];
    found |= static_cast<decltype(found)>(digit) << shift;
  }
  return found;
}

/// Keeps, in place, the `k` pairs of the largest magnitudes, of equal ones those of the smallest indices.
/// Returns how many there are.
template <class Real>
std::size_t keep_largest(std::uint32_t* indices, Real* values, std::size_t count, std::size_t k) {
  if (count <= k) return count;
  if (k == 0) return 0;
  auto const threshold = largest_magnitude(values, count, k);
  std::size_t equal = k;
  for (std::size_t i = 0; i < count; ++i) equal -= magnitude_bits(values[i]) > threshold ? 1 : 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto const bits = magnitude_bits(values[i]);
    if (bits < threshold || (bits == threshold && equal == 0)) continue;
    if (bits == threshold) --equal;
    indices[kept] = indices[i];
    values[kept++] = values[i];
  }
  return kept;
}

/// One bit for each pair of a list, in words.
class PairMarks {
 public:
  static constexpr std::size_t words(std::size_t count) { return (count + 63) / 64; }

  explicit PairMarks(std::uint64_t* words) : words_(words) {}

  bool operator[](std::size_t pair) const { return (words_[pair / 64] >> (pair % 64) & 1) != 0; }
  void set(std::size_t pair, bool value) const {
    std::uint64_t const bit = std::uint64_t{1} << (pair % 64);
    words_[pair / 64] = value ? words_[pair / 64] | bit : words_[pair / 64] & ~bit;
  }

 private:
  std::uint64_t* words_;
};

template <class Real>
bool is_finite(Real value) {
  return magnitude_bits(value) < magnitude_bits(std::numeric_limits<Real>::infinity());
}

/// Adds the pairs that are not marked to `residual`, if there is one. Nothing that is not finite stays there.
template <class Real>
void give_back(PairList<Real> const& list, PairMarks marks, Real* residual) {
  if (residual == nullptr) return;
  for (std::size_t j = 0; j < list.count; ++j) {
    if (!marks[j] && is_finite(list.values[j])) residual[list.indices[j]] += list.values[j];
  }
}

}  // namespace weir::inline v1::detail
