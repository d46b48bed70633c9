#pragma once

#include <cstddef>

/// Gradients that are the mean of small integers.
struct IntegerModel {
  template <class Micro>
  void operator()(Micro& micro) const {
    for (std::size_t p = 0; p < 2; ++p) {
      auto const gradient = micro.gradient(p);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        float sum = 0.0f;
        for (int sample : micro.samples()) sum += static_cast<float>(sample * static_cast<int>(i + 1 + p));
        sum *= micro.loss_scale() / static_cast<float>(micro.samples().size());
        gradient[i] = micro.accumulate() ? gradient[i] + sum : sum;
      }
    }
  }
};
