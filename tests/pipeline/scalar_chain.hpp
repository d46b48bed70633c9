#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "weir/pipeline/pipeline_options.hpp"

/// Scalar stages y = w x with the loss (y - target)^2 / 2, and eight samples for them.
namespace scalar_chain {

struct Sample {
  double x;
  double target;
};
using Batch = std::span<Sample const>;

inline constexpr Sample samples[8] = {{1, .5},  {-.5, .25},   {.25, 1}, {.75, -.5},
                                      {1, .25}, {-.25, -.75}, {.5, .5}, {-1, .25}};

inline std::vector<double> initial_weights() {
  return {1, .5, .75, 1.25};
}

inline std::vector<weir::StageLayout> layouts(std::size_t stages) {
  return std::vector<weir::StageLayout>(stages, {.parameters = {1}, .outputs = {{1}}, .saved = 1});
}

/// One for all stages.
struct Model {
  void forward(auto& micro) const {
    double const w = micro.weights(0)[0];
    for (std::size_t i = 0; i < micro.samples().size(); ++i) {
      double const y = w * input(micro, i);
      if (micro.is_last_stage()) {
        micro.saved()[i] = y - micro.samples()[i].target;
        micro.loss(micro.saved()[i] * micro.saved()[i] / 2);
      } else {
        micro.output()[i] = y;
      }
    }
  }

  void backward(auto& micro) const {
    double const w = micro.weights(0)[0];
    std::size_t const n = micro.samples().size();
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double const gradient = micro.is_last_stage()
                                  ? micro.saved()[i] * micro.loss_scale() / static_cast<double>(n)
                                  : micro.output_gradient()[i];
      sum += gradient * input(micro, i);
      if (!micro.is_first_stage()) micro.input_gradient()[i] = gradient * w;
    }
    double& gradient = micro.gradient(0)[0];
    gradient = micro.accumulate() ? gradient + sum : sum;
  }

  static double input(auto& micro, std::size_t i) {
    return micro.is_first_stage() ? micro.samples()[i].x : micro.input()[i];
  }
};

}  // namespace scalar_chain
