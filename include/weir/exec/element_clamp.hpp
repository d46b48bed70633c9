#pragma once

#include "weir/core/host_device.hpp"
#include "weir/exec/gradient_control.hpp"
#include "weir/exec/magnitude_key.hpp"

namespace weir::inline v1 {

/// Brings every finite element down to a magnitude of `most`, once `scale` has multiplied it. What is NaN or
/// infinite stays as it is, for the stage that looks after it.
struct ElementClamp {
  double most = __builtin_inf();
  GradientScale scale = {};  // of the gradient, which is clamped before

  WEIR_HOST_DEVICE constexpr bool is_empty() const { return most == __builtin_inf(); }

  /// Of the largest magnitude that stays as it is, before `scale`. Reads the executor's memory.
  template <class Real>
  WEIR_HOST_DEVICE typename MagnitudeKey<Real>::Bits limit() const {
    using Key = MagnitudeKey<Real>;
    Real const largest = Key::value(Key::infinity - 1);
    double const factor = scale.factor();
    double const magnitude = most / (factor < 0 ? -factor : factor);
    return Key::of(magnitude < largest ? static_cast<Real>(magnitude) : largest);
  }

  template <class Real>
  WEIR_HOST_DEVICE static Real clamped(Real value, typename MagnitudeKey<Real>::Bits limit) {
    using Key = MagnitudeKey<Real>;
    auto const key = Key::of(value);
    if (key <= limit || key >= Key::infinity) return value;
    return Key::value(limit | (__builtin_bit_cast(typename Key::Bits, value) ^ key));
  }
};

}  // namespace weir::inline v1
