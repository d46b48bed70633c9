#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/exec/batch_view.hpp"
#include "weir/exec/concepts.hpp"
#include "weir/exec/group_layout.hpp"
#include "weir/exec/vocabulary.hpp"

namespace weir::inline v1 {

/// What sums of products of an element are kept in.
template <class Element>
using AccumulatorOf = std::conditional_t<std::is_same_v<std::remove_const_t<Element>, double>, double, float>;

/// What a product does to a sum before it is rounded and stored.
enum class Activation : std::uint8_t { identity, relu };

template <class Real>
WEIR_HOST_DEVICE constexpr Real activate(Activation activation, Real value) {
  return activation == Activation::relu && !(value > Real{0}) ? (value != value ? value : Real{0}) : value;
}

/// What `multiply_masked` does besides, in the same pass: bias, which is one number per output or null, then
/// activation.
template <class Real>
struct ProductEpilogue {
  Real const* bias = nullptr;
  Activation activation = Activation::identity;
};

/// Whether a gradient replaces what is there or is added to it.
enum class GradientMode : std::uint8_t { overwrite, accumulate };

/// The backend can multiply with a matrix of which only live entries exist: `layout` is one of the layouts of
/// `exec/` (`GroupLayout`, ..), `values` its `value_count()` numbers, padding zero.
///
/// `multiply_masked`: y = activation(x W^T + bias). `multiply_masked_transposed`: dx = dy W.
/// `masked_weight_gradient`: gradient[e] = sum over samples of dy(., row of e) x(., column of e) for live
/// entries, padding stays as it is or becomes zero. Batches may be empty; views do not overlap.
template <class E, class Layout = GroupLayout, class Element = float>
concept MaskingBackend = Executor<E> &&
    requires(E const& e, Layout const& layout, ViewOn<Element const, E> values,
             BatchView<Element const, typename E::memory_space> in,
             BatchView<Element, typename E::memory_space> out, ViewOn<AccumulatorOf<Element>, E> gradient,
             ProductEpilogue<AccumulatorOf<Element>> epilogue, GradientMode mode) {
  multiply_masked(e, layout, values, in, out, epilogue);
  multiply_masked_transposed(e, layout, values, in, out);
  masked_weight_gradient(e, layout, in, in, gradient, mode);
};

}  // namespace weir::inline v1
