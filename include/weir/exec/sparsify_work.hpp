#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/exec/gradient_control.hpp"
#include "weir/exec/selection.hpp"
#include "weir/exec/shared_rank_search.hpp"
#include "weir/exec/sparsify_constants.hpp"
#include "weir/exec/tail_statistics.hpp"
#include "weir/exec/threshold_state.hpp"
#include "weir/exec/two_sided_view.hpp"
#include "weir/exec/weighted_term.hpp"
#include "weir/tensor/view.hpp"

namespace weir::inline v1 {

/// Which part of a sparsification a call does. A threshold that ranks share is made in parts, and the ranks
/// exchange in between what `tail` says and, where the policy counts, the counters of each round.
enum class SparsifyPart : std::uint8_t {
  whole,
  accumulate,  // makes the accumulator and `tail`
  count,   // adds its magnitudes to `counters`, as `shared_rank` says, unless that is done or it is skipped
  select,  // all the rest; the accumulator and `tail` are there
};

/// One sparsification of one bucket of N elements: accumulate, find the threshold, select, keep the rest.
///
///   g   = the sum of the terms, times `scale`      (as `sum_weighted` takes it)
///   acc = beta * residual + gamma * g, or          (each product rounded; a factor of 1 costs no rounding)
///   u   = m * u + g,   acc = v + u                 (momentum correction; v is the residual)
///   u   = m * (u + g), acc = (v + u) + g           (Nesterov)
///
/// acc goes to the other side of the residual, which becomes the valid one unless the step is skipped, and is
/// +0 in it (or the rounding error, where values are sent in 16 bits) at every slot that is sent. Without a
/// residual it goes to `accumulator`, which keeps all of it.
template <class Element, class Real, class Space, class Index = std::uint32_t>
struct SparsifyWork {
  std::span<WeightedTerm<Element, Space> const> terms;  // on a device the span is read at the call
  GradientScale scale = {};                             // a step that it skips is skipped here, too
  /// N elements, which may be those of a term. May be empty where there is a residual, or where the gradient
  /// is one term of type `Real`, weight 1 and no scale: that is then the accumulator, and stays as it is.
  TensorView<Real, Space> accumulator = {};
  TwoSidedView<Real, Space> residual = {};  // empty: no feedback. Its side word is that of the state
  TwoSidedView<Real, Space> momentum = {};  // u; empty: no momentum correction
  SparsifyConstants constants = {};
  ThresholdState* state = nullptr;
  Selection<Real, Space, Index> out = {};
  TensorView<std::byte, Space> scratch = {};  // of `sparsify_scratch_bytes`, at a multiple of 16
  std::uint64_t const* step = nullptr;        // what random choices are keyed by; null: the steps not skipped

  SparsifyPart part = SparsifyPart::whole;
  TailStatistics* tail = nullptr;           // of this rank's accumulator; may be null for the whole
  SharedTail const* shared_tail = nullptr;  // of all ranks, whose buckets are as large; null: `tail`
  /// Of them all, for policies that count; null: own data.
  SharedRankSearch<Real> const* shared_rank = nullptr;
  std::uint64_t* counters = nullptr;  // `SharedRankSearch::counters` of them
};

}  // namespace weir::inline v1
