#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "network.hpp"
#include "weir/pipeline/partition.hpp"
#include "weir/pipeline/pipeline_options.hpp"

namespace weir_train {

/// A network as stages of consecutive layers, and what a pipeline has to know of them.
class NetworkCut {
 public:
  /// So many stages, of which the most expensive one is as cheap as can be. With more of them than layers the
  /// last ones are empty, or the first ones, which without a flush are those whose gradients are late.
  NetworkCut(Network<float> const& network, std::size_t stages, bool has_flush) : network_(network) {
    std::vector<weir::Rational> costs;
    for (std::size_t layer = 0; layer < network.layers(); ++layer)
      costs.emplace_back(static_cast<std::int64_t>(network.layer(layer).cost()));
    ranges_ = weir::partition(costs, stages).stages;
    if (has_flush || costs.size() >= stages) return;
    std::rotate(ranges_.begin(), ranges_.begin() + static_cast<std::ptrdiff_t>(costs.size()), ranges_.end());
    std::fill_n(ranges_.begin(), stages - costs.size(), weir::LayerRange{0, 0});
  }

  weir::LayerRange const& operator[](std::size_t stage) const { return ranges_[stage]; }
  /// Whether what it gives are logits.
  bool is_last(weir::LayerRange const& range) const {
    return range.size() != 0 && range.end == network_.layers();
  }
  std::size_t most_layers() const {
    std::size_t most = 0;
    for (weir::LayerRange const& range : ranges_) most = std::max(most, range.size());
    return most;
  }

  /// In multiples of a cache line, so that everything lies as it does without a pipeline.
  static std::size_t padded(std::size_t elements) { return (elements + 15) / 16 * 16; }

  /// What a stage keeps of a micro-batch: of the first one the samples; what each layer gives, and works on;
  /// of the last one the gradient of the logits.
  std::vector<weir::StageLayout> layouts() const {
    std::vector<weir::StageLayout> layouts;
    for (weir::LayerRange const& range : ranges_) {
      weir::StageLayout layout{.is_empty = range.size() == 0};
      if (range.first == 0) layout.saved += padded(network_.input().size());
      for (std::size_t layer = range.first; layer < range.end; ++layer) {
        for (ParameterInfo const& parameter : network_.layer(layer).parameters())
          layout.parameters.push_back(parameter.elements);
        layout.saved += padded(outputs(layer)) + padded(network_.layer(layer).scratch(1));
      }
      if (is_last(range)) {
        layout.saved += padded(outputs(range.end - 1));
      } else if (!layout.is_empty) {
        layout.outputs = {{.elements = outputs(range.end - 1)}};
      }
      layouts.push_back(std::move(layout));
    }
    return layouts;
  }

 private:
  std::size_t outputs(std::size_t layer) const { return network_.layer(layer).output().size(); }

  Network<float> const& network_;
  std::vector<weir::LayerRange> ranges_;  // by stage
};

}  // namespace weir_train
