#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "activation.hpp"
#include "weir/core/host_device.hpp"
#include "weir/exec/loss_factor.hpp"

// What the kernels of an mlp do with one element or one sample. The processor can run it too, so that it is
// tested where there is no GPU.

namespace weir_train {

/// Written so that a NaN stays one.
WEIR_HOST_DEVICE inline float activate(Activation activation, float value) {
  return activation == Activation::relu && value < 0.0f ? 0.0f : value;
}

/// The gradient of the argument, from the result `out` and its gradient.
WEIR_HOST_DEVICE inline float differentiate(Activation activation, float out, float delta) {
  return activation == Activation::none || out > 0.0f ? delta : 0.0f;
}

/// The loss of a sample with the unnormalised logarithmic probabilities `logits`. Writes `factor` times its
/// gradient.
WEIR_HOST_DEVICE inline double softmax_cross_entropy(float const* logits, std::size_t classes,
                                                     std::uint8_t label, float factor, float* gradient) {
  float largest = logits[0];
  for (std::size_t i = 1; i < classes; ++i) largest = logits[i] > largest ? logits[i] : largest;
  float total = 0.0f;
  for (std::size_t i = 0; i < classes; ++i) {
    gradient[i] = std::exp(logits[i] - largest);
    total += gradient[i];
  }
  for (std::size_t i = 0; i < classes; ++i) gradient[i] *= factor / total;
  gradient[label] -= factor;
  return std::log(static_cast<double>(total)) - static_cast<double>(logits[label] - largest);
}

/// What the gradient of a sample's loss is multiplied by in a micro-batch of so many.
WEIR_HOST_DEVICE inline float factor_per_sample(weir::LossFactor const& factor, std::size_t samples) {
  return static_cast<float>(static_cast<double>(static_cast<float>(factor.value())) /
                            static_cast<double>(samples));
}

}  // namespace weir_train
