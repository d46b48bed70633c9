#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "weir/exec/masked_product.hpp"
#include "weir/exec/product_arguments.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"
#include "weir/mask/initialise.hpp"

namespace weir::inline v1 {

struct LinearOptions {
  Activation activation = Activation::identity;
  bool has_bias = true;
};

/// A fully connected layer of which only the live weights exist: y = activation(x W^T + bias).
///
/// Parameters are the caller's: `value_count()` values, of which padding is zero and stays so, and a bias per
/// output. `on` binds the layer to an executor. Errors: those of the products, before anything is changed.
template <Design D = AnyDesign>
class BIBDLinear {
 public:
  explicit BIBDLinear(BIBDMask<D> mask, LinearOptions options = {})
      : mask_(std::move(mask)), options_(options) {}

  BIBDMask<D> const& mask() const { return mask_; }
  std::size_t inputs() const { return mask_.inputs(); }
  std::size_t outputs() const { return mask_.outputs(); }
  std::size_t value_count() const { return mask_.value_count(); }
  std::size_t bias_count() const { return options_.has_bias ? mask_.outputs() : 0; }

  /// Draws the values; see `weir::initialise`.
  template <class Real>
  void initialise(std::span<Real> values, InitialiseOptions options = {}) const {
    weir::initialise(mask_, values, options);
  }

  /// The layer on an executor. Its products run on any stream of the same memory; nothing is allocated.
  template <Executor E>
  class Bound {
   public:
    Bound(E const& executor, BIBDLinear const& layer)
        : options_(layer.options_), mask_(executor, layer.mask_) {}

    BIBDMask<D> const& mask() const { return mask_.mask(); }

    /// Shapes: x samples x inputs, y samples x outputs. An empty bias means none.
    template <class Element>
    void forward(E const& stream, ViewOn<Element const, E> values,
                 ViewOn<AccumulatorOf<Element> const, E> bias,
                 BatchView<Element const, typename E::memory_space> x,
                 BatchView<Element, typename E::memory_space> y) const {
      check_bias("forward", bias.size());
      mask_.visit([&](auto const& layout) {
        multiply_masked(stream, layout, values, x, y, {bias.data(), options_.activation});
      });
    }

    /// Shapes: those of `forward`; `y` is what it gave. `dy`, the gradient of `y`, is overwritten by that of
    /// the sums; `dx.data` may be null if nobody needs it.
    template <class Element>
    void backward(E const& stream, ViewOn<Element const, E> values,
                  BatchView<Element const, typename E::memory_space> x,
                  BatchView<Element const, typename E::memory_space> y,
                  BatchView<Element, typename E::memory_space> dy,
                  BatchView<Element, typename E::memory_space> dx, ViewOn<AccumulatorOf<Element>, E> gradient,
                  ViewOn<AccumulatorOf<Element>, E> bias_gradient, GradientMode mode) const {
      check_bias("backward", bias_gradient.size());
      mask_.visit([&](auto const& layout) {  // before anything is changed
        detail::check_masked_weight_gradient(layout, gradient, dy, x);
        if (dx.data != nullptr) detail::check_multiply_masked_transposed(layout, values, dy, dx);
      });
      gate_gradient(stream, options_.activation, y, dy);
      if (!bias_gradient.empty()) sum_samples(stream, dy, bias_gradient, mode);
      mask_.visit([&](auto const& layout) {
        masked_weight_gradient(stream, layout, dy, x, gradient, mode);
        if (dx.data != nullptr) multiply_masked_transposed(stream, layout, values, dy, dx);
      });
    }

   private:
    void check_bias(char const* verb, std::size_t size) const {
      std::size_t const wanted = options_.has_bias ? mask_.mask().outputs() : 0;
      if (size == wanted) return;
      throw ContractViolation("BIBDLinear::" + std::string(verb) + ": the bias has " + std::to_string(size) +
                              " elements, " + std::to_string(wanted) + " would be right");
    }

    LinearOptions options_;
    BoundMask<E, D> mask_;
  };

  template <Executor E>
  Bound<E> on(E const& executor) const {
    return Bound<E>(executor, *this);
  }

 private:
  BIBDMask<D> mask_;
  LinearOptions options_;
};

}  // namespace weir::inline v1
