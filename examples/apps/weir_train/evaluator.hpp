#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "network.hpp"
#include "workspace.hpp"

namespace weir_train {

/// Applies a network to test images.
class Evaluator {
 public:
  Evaluator(Network<float> const& network, Images const& images)
      : network_(network), images_(images), workspace_(network, batch), order_(images.size()) {
    std::iota(order_.begin(), order_.end(), 0u);
  }

  /// The share of images, or of tokens, whose largest output is their label.
  double accuracy(std::span<float const> weights) {
    for (std::size_t layer = 0; layer < network_.layers(); ++layer) {
      std::size_t const first = network_.first_parameter(layer);
      for (std::size_t parameter = first; parameter < network_.first_parameter(layer + 1); ++parameter) {
        workspace_.pass(layer).parameters[parameter - first] = weights.data();
        weights = weights.subspan(network_.parameters()[parameter].elements);
      }
    }
    std::size_t right = 0;
    for (std::size_t begin = 0; begin < order_.size(); begin += batch) {
      right += right_answers(std::span(order_).subspan(begin, std::min(batch, order_.size() - begin)));
    }
    return static_cast<double>(right) / static_cast<double>(images_.labels.size());
  }

 private:
  static constexpr std::size_t batch = 128;

  std::size_t right_answers(std::span<std::uint32_t const> samples) {
    workspace_.load(images_, samples);
    for (std::size_t layer = 0; layer < network_.layers(); ++layer)
      network_.layer(layer).forward(workspace_.pass(layer));
    std::size_t right = 0;
    float const* logits = workspace_.logits();
    for (std::uint8_t const label : workspace_.labels()) {
      right += std::max_element(logits, logits + network_.classes()) == logits + label ? 1 : 0;
      logits += network_.classes();
    }
    return right;
  }

  Network<float> const& network_;
  Images const& images_;
  Workspace<float> workspace_;
  std::vector<std::uint32_t> order_;
};

}  // namespace weir_train
