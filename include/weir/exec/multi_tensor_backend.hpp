#pragma once

#include <concepts>
#include <span>

#include "weir/exec/update_list.hpp"
#include "weir/exec/vocabulary.hpp"

namespace weir::inline v1 {

/// What an update of many tensors can sum into a gradient of type `Real`.
template <class Element, class Real>
concept UpdateTerm = std::same_as<Element, Real> ||
    (std::same_as<Real, float> && (std::same_as<Element, half> || std::same_as<Element, bfloat16>));

/// The backend can update all pieces of a bucket in one launch. The gradient is the sum of one to
/// `most_update_terms` terms, taken as `sum_weighted` does, but not written to memory; the update is that of
/// `sgd_update` or `adamw_update`, bit by bit, and the copies are written as `copy` does, also in a step that
/// is skipped. The span of terms lives until the call returns.
template <class E, class Real = float, class Element = Real>
concept MultiTensorBackend = UpdatingBackend<E, Real> && TransferringBackend<E> &&
    UpdateTerm<Element, Real> &&
    requires(E const& e, UpdateList<Real> const& list,
             std::span<WeightedTerm<Element, typename E::memory_space> const> terms, ViewOn<Real, E> moment,
             SgdConstants sgd, AdamConstants adam, OptimizerState const* state, GradientScale scale) {
  sgd_update_pieces(e, list, terms, moment, sgd, state, scale);
  adamw_update_pieces(e, list, terms, moment, moment, adam, state, scale);
};

}  // namespace weir::inline v1
