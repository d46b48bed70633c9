#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include "weir/comm/reduce_op.hpp"
#include "weir/comm/wire_type.hpp"

// Combining the ranks' vectors element by element, in rank order. Every host transport uses this, so that all
// of them give the same bits.

namespace weir::inline v1::detail {

/// 16-bit elements are combined in float and rounded once, at the end.
template <Reducible T>
using Wide = std::conditional_t<sizeof(T) == 2, float, T>;

/// Elements combined at a time: the sums stay in the first-level cache, and a constant trip count vectorises.
inline constexpr std::size_t combine_block = 1024;

template <ReduceOp op, class T>
constexpr T combine(T left, T right) {
  if constexpr (op == ReduceOp::sum) {
    if constexpr (std::integral<T>) {
      using Modular = std::make_unsigned_t<T>;  // overflow wraps
      return static_cast<T>(static_cast<Modular>(left) + static_cast<Modular>(right));
    } else {
      return left + right;
    }
  } else if constexpr (op == ReduceOp::bit_or) {
    return left | right;
  } else if constexpr (std::integral<T>) {
    return (op == ReduceOp::max ? left < right : right < left) ? right : left;
  } else {
    bool const is_beyond = op == ReduceOp::max ? left < right : right < left;
    return is_beyond || right != right ? right : left;  // a NaN is kept, wherever it comes from
  }
}

template <ReduceOp op, class T>
void combine_into(Wide<T>* __restrict totals, T const* __restrict next, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) totals[i] = combine<op>(totals[i], static_cast<Wide<T>>(next[i]));
}

template <ReduceOp op, class T, class SourceOf, class Emit>
void combine_in_rank_order(std::size_t ranks, std::size_t begin, std::size_t end, SourceOf const& source_of,
                           Emit const& emit) {
  Wide<T> totals[combine_block];
  for (std::size_t offset = begin; offset < end; offset += combine_block) {
    std::size_t const count = end - offset < combine_block ? end - offset : combine_block;
    T const* const first = source_of(0) + offset;
    for (std::size_t i = 0; i < count; ++i) totals[i] = static_cast<Wide<T>>(first[i]);
    for (std::size_t rank = 1; rank < ranks; ++rank) {
      T const* const next = source_of(rank) + offset;
      if (count == combine_block) {
        combine_into<op, T>(totals, next, combine_block);
      } else {
        combine_into<op, T>(totals, next, count);
      }
    }
    if constexpr (std::same_as<T, Wide<T>>) {
      emit(offset, static_cast<T const*>(totals), count);
    } else {
      T narrow[combine_block];
      for (std::size_t i = 0; i < count; ++i) narrow[i] = static_cast<T>(totals[i]);
      emit(offset, static_cast<T const*>(narrow), count);
    }
  }
}

/// Combines elements `begin` to `end` of `source_of(rank)[i]` over all ranks; `emit(offset, results, count)`
/// takes them piece by piece and may write to the sources there.
template <Reducible T, class SourceOf, class Emit>
void combine_in_rank_order(ReduceOp op, std::size_t ranks, std::size_t begin, std::size_t end,
                           SourceOf const& source_of, Emit const& emit) {
  switch (op) {
    case ReduceOp::sum:
      return combine_in_rank_order<ReduceOp::sum, T>(ranks, begin, end, source_of, emit);
    case ReduceOp::max:
      return combine_in_rank_order<ReduceOp::max, T>(ranks, begin, end, source_of, emit);
    case ReduceOp::min:
      return combine_in_rank_order<ReduceOp::min, T>(ranks, begin, end, source_of, emit);
    case ReduceOp::bit_or:
      if constexpr (std::integral<T>) {
        return combine_in_rank_order<ReduceOp::bit_or, T>(ranks, begin, end, source_of, emit);
      }
  }
}

}  // namespace weir::inline v1::detail
