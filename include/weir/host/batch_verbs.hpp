#pragma once

#include <cstddef>
#include <type_traits>

#include "weir/core/convert.hpp"
#include "weir/core/smaller.hpp"
#include "weir/exec/arguments.hpp"
#include "weir/exec/masked_product.hpp"
#include "weir/host/executor.hpp"
#include "weir/host/sweep.hpp"

namespace weir::inline v1 {

namespace detail {

/// Adds the features begin .. end of all samples. Those of some samples are added up first, so that few terms
/// are added to a large sum.
template <class Element, class Real>
void add_samples(BatchView<Element, HostSpace> batch, std::size_t begin, std::size_t end,
                 TensorView<Real, HostSpace> out) {
  constexpr std::size_t most_features = 256, most_samples = 256;
  Real sums[most_features];
  for (std::size_t f = begin; f < end; f += most_features) {
    std::size_t const count = smaller(most_features, end - f);
    for (std::size_t first = 0; first < batch.samples; first += most_samples) {
      std::size_t const last = smaller(batch.samples, first + most_samples);
      for (std::size_t k = 0; k < count; ++k) sums[k] = Real{0};
      for (std::size_t i = first; i < last; ++i) {
        for (std::size_t k = 0; k < count; ++k) sums[k] += convert<Real>(batch(i, f + k));
      }
      for (std::size_t k = 0; k < count; ++k) out[f + k] += sums[k];
    }
  }
}

}  // namespace detail

/// `out[f]` becomes, or is increased by, the sum of feature f over all samples, 256 after another added up in
/// their order: the gradient of a bias.
///
/// Shapes: out has one number per feature. Errors: `ContractViolation` for another number.
template <class Element, class Real>
requires ExactIn<Element, Real>
void sum_samples(HostExecutor const& executor, BatchView<Element, HostSpace> batch,
                 TensorView<Real, HostSpace> out, GradientMode mode) {
  detail::Arguments("sum_samples").same_size("the sum", out.size(), "a sample", batch.features);
  executor.submit([=](HostExecutor const& point) {
    detail::share(point.team(), batch.features, batch.samples * sizeof(Element) + sizeof(Real),
                  [&](std::size_t begin, std::size_t end) {
                    if (mode == GradientMode::overwrite) {
                      for (std::size_t f = begin; f < end; ++f) out[f] = Real{0};
                    }
                    detail::add_samples(batch, begin, end, out);
                  });
  });
}

/// Makes the gradient of what a product gave, after its activation, that of the sum before it: with `relu`,
/// `dy` becomes 0 where `y` is not above 0.
///
/// Shapes: equal. Errors: `ContractViolation` where they are not.
template <class Element, class Other>
void gate_gradient(HostExecutor const& executor, Activation activation, BatchView<Element, HostSpace> y,
                   BatchView<Other, HostSpace> dy) {
  detail::Arguments const arguments("gate_gradient");
  arguments.same_size("a sample of dy", dy.features, "one of y", y.features);
  arguments.same_size("a feature of dy", dy.samples, "one of y", y.samples);
  if (activation == Activation::identity) return;
  executor.submit([=](HostExecutor const& point) {
    detail::share(point.team(), y.samples, 2 * y.features * sizeof(Element) + 1,
                  [&](std::size_t begin, std::size_t end) {
                    for (std::size_t i = begin; i < end; ++i) {
                      for (std::size_t f = 0; f < y.features; ++f) {
                        bool const is_on = detail::convert<AccumulatorOf<Element>>(y(i, f)) > 0;
                        if (!is_on) dy(i, f) = Other(0.0f);
                      }
                    }
                  });
  });
}

}  // namespace weir::inline v1
