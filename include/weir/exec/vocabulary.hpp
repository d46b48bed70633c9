#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "weir/exec/concepts.hpp"
#include "weir/exec/epilogue.hpp"
#include "weir/exec/gradient_control.hpp"
#include "weir/exec/measurement.hpp"
#include "weir/exec/optimizer_constants.hpp"
#include "weir/exec/optimizer_state.hpp"
#include "weir/exec/weighted_term.hpp"
#include "weir/tensor/concepts.hpp"
#include "weir/tensor/view.hpp"

// The verbs that primitives are written with, as concepts. Each is a function overloaded for the executor,
// declared in the header that defines it, and takes effect in stream order. Sizes agree; views do not overlap
// unless it is said that they may.

namespace weir::inline v1 {

template <class T, class E>
using ViewOn = TensorView<T, typename E::memory_space>;

/// The backend can clear, fill and copy. `copy` converts between element types, rounding to nearest even.
template <class E, class Real = float>
concept CopyingBackend = Executor<E> && requires(E const& e, ViewOn<Real const, E> in, ViewOn<Real, E> out) {
  set_zero(e, out);
  fill(e, out, Real{});
  copy(e, in, out);
};

/// The backend can sum: `out += factor * in` and `out = ((w_0 * t_0 + w_1 * t_1) + w_2 * t_2) + ..`. Each
/// product is rounded before it is added; a weight of 1 costs no rounding. `out` may be one of the terms. The
/// span of terms (not only what it points to) lives until the work has run.
template <class E, class Element = float, class Real = float>
concept SummingBackend = CopyingBackend<E, Real> &&
    requires(E const& e, std::span<WeightedTerm<Element, typename E::memory_space> const> terms,
             ViewOn<Element const, E> in, ViewOn<Real, E> out, SumEpilogue epilogue) {
  add_scaled(e, in, Real{}, out);
  sum_weighted(e, terms, out, epilogue);
};

/// The backend can clear what turns out to be unusable: `out = 0` if `*condition`, in the executor's memory,
/// is not 0.
template <class E, class Real = float>
concept ConditionalBackend = Executor<E> &&
    requires(E const& e, ViewOn<Real, E> out, std::uint64_t const* condition) {
  clear_if(e, out, condition);
};

/// The backend can look at a vector: `*out` becomes its `Measurement`.
template <class E, class Real = float>
concept MeasuringBackend = Executor<E> && requires(E const& e, ViewOn<Real const, E> in, Measurement* out) {
  measure(e, in, out);
};

/// The backend can run a function of scalars once, where its kernels run: `step()` reads and writes the
/// executor's memory. The steps are the structs of `exec/` with a host-device call operator.
template <class E, class Step = AdvanceOptimizer>
concept ScalarBackend = Executor<E> && requires(E const& e, Step step) {
  apply_scalars(e, step);
};

/// The backend can apply an optimizer. Weights go in and out, which may be the same memory. The gradient is
/// multiplied by `scale`; a step whose control says so is skipped. An empty velocity means no momentum.
template <class E, class Real = float>
concept UpdatingBackend = ScalarBackend<E> &&
    requires(E const& e, ViewOn<Real const, E> weights, ViewOn<Real const, E> gradient, ViewOn<Real, E> out,
             SgdConstants sgd, AdamConstants adam, OptimizerState const* state, GradientScale scale) {
  sgd_update(e, weights, out, gradient, out, sgd, state, scale);
  adamw_update(e, weights, out, gradient, out, out, adam, state, scale);
};

/// The backend can move bytes between its memory and the host's.
template <class E>
concept TransferringBackend = Executor<E> &&
    requires(E const& e, void* anywhere, void const* somewhere, std::size_t bytes) {
  copy_to_host(e, somewhere, anywhere, bytes);
  copy_from_host(e, somewhere, anywhere, bytes);
};

/// It also has a source of host memory that it copies from and to without holding up the caller.
template <class E>
concept StagingBackend = TransferringBackend<E> && requires(E const& e) {
  { e.host_memory() } -> MemorySource;
  requires std::same_as<typename decltype(e.host_memory())::memory_space, HostSpace>;
};

}  // namespace weir::inline v1
