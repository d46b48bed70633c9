#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "load_samples.hpp"
#include "network.hpp"

namespace weir_train {

/// The activations of one worker, for at most `batch` samples at a time. Allocates when it is made only.
/// Moving keeps the memory where it is, and so the pointers of the passes.
template <class Real>
class Workspace {
 public:
  Workspace(Network<Real> const& network, std::size_t batch)
      : passes_(network.layers()), labels_each_(network.predictions()), labels_(batch * labels_each_) {
    input_.resize(static_cast<Index>(batch * network.input().size()));
    std::size_t widest = 0;
    for (std::size_t index = 0; index < network.layers(); ++index) {
      Layer<Real> const& layer = network.layer(index);
      out_.emplace_back(static_cast<Index>(batch * layer.output().size()));
      scratch_.emplace_back(static_cast<Index>(layer.scratch(batch)));
      widest = std::max(widest, layer.output().size());
    }
    for (Numbers& delta : delta_) delta.resize(static_cast<Index>(batch * widest));
    for (std::size_t index = 0; index < network.layers(); ++index) {
      passes_[index].in = index == 0 ? input_.data() : out_[index - 1].data();
      passes_[index].out = out_[index].data();
      passes_[index].scratch = scratch_[index].data();
      passes_[index].out_delta = delta_[index % 2].data();
      passes_[index].in_delta = index == 0 ? nullptr : delta_[(index + 1) % 2].data();
    }
  }

  Workspace(Workspace&&) noexcept = default;

  /// Copies samples into the input of the first layer, pixels in [0, 1].
  void load(Images const& images, std::span<std::uint32_t const> samples) {
    load_pixels(images, samples, input_.data());
    load_labels(images, samples, labels_.data());
    for (LayerPass<Real>& pass : passes_) pass.samples = samples.size();
  }

  LayerPass<Real>& pass(std::size_t layer) { return passes_[layer]; }
  Real const* logits() const { return out_.back().data(); }
  Real* logits_gradient() { return passes_.back().out_delta; }
  std::span<std::uint8_t const> labels() const {
    return {labels_.data(), passes_.front().samples * labels_each_};
  }

 private:
  using Numbers = Eigen::Array<Real, Eigen::Dynamic, 1>;

  Numbers input_;
  std::vector<Numbers> out_;
  std::vector<Numbers> scratch_;
  Numbers delta_[2];
  std::vector<LayerPass<Real>> passes_;
  std::size_t labels_each_;
  std::vector<std::uint8_t> labels_;
};

}  // namespace weir_train
