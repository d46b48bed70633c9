#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "load_samples.hpp"
#include "network.hpp"
#include "network_cut.hpp"
#include "pipeline_desks.hpp"
#include "softmax_cross_entropy.hpp"

namespace weir_train {

/// What the pipeline calls, for all of its stages: forward, loss behind the last layer, backward.
class PipelineStages {
 public:
  /// At most `at_once` calls run at a time.
  PipelineStages(Network<float> const& network, Images const& images, NetworkCut cut, std::size_t batch,
                 std::size_t at_once)
      : network_(network),
        images_(images),
        cut_(std::move(cut)),
        desks_(at_once, cut_.most_layers(), batch * widest(), batch * network.predictions()) {}

  template <class Micro>
  void forward(Micro& micro) {
    PipelineDesks::Seat const desk(desks_);
    weir::LayerRange const range = cut_[micro.stage()];
    std::size_t const samples = micro.samples().size();
    float* const logits_gradient = lay_out(micro, desk->passes);
    if (range.first == 0) load_pixels(images_, micro.samples(), micro.saved().data());
    for (std::size_t layer = range.first; layer < range.end; ++layer)
      network_.layer(layer).forward(desk->passes[layer - range.first]);
    float const* const out = desk->passes[range.size() - 1].out;
    if (cut_.is_last(range)) {
      load_labels(images_, micro.samples(), desk->labels.data());
      micro.loss(softmax_cross_entropy(
          out, std::span<std::uint8_t const>(desk->labels.data(), samples * network_.predictions()),
          network_.classes(), micro.loss_scale(), logits_gradient));
    } else {
      std::copy_n(out, micro.output().size(), micro.output().data());
    }
  }

  template <class Micro>
  void backward(Micro& micro) {
    PipelineDesks::Seat const desk(desks_);
    weir::LayerRange const range = cut_[micro.stage()];
    float* delta = lay_out(micro, desk->passes);
    if (!cut_.is_last(range)) {
      delta = desk->delta[0].data();
      std::copy_n(micro.output_gradient().data(), micro.output_gradient().size(), delta);
    }
    for (std::size_t layer = range.end; layer-- > range.first;) {
      LayerPass<float>& pass = desk->passes[layer - range.first];
      float* const below = desk->delta[(range.end - layer) % 2].data();
      pass.out_delta = delta;
      pass.in_delta = layer > range.first ? below
                      : range.first == 0  ? nullptr
                                          : micro.input_gradient().data();
      pass.accumulate = micro.accumulate();
      for_each_parameter(range, layer, [&](std::size_t parameter, std::size_t place) {
        pass.gradients[place] = micro.gradient(parameter).data();
      });
      network_.layer(layer).backward(pass);
      delta = below;
    }
  }

 private:
  std::size_t outputs(std::size_t layer) const { return network_.layer(layer).output().size(); }
  std::size_t widest() const {
    std::size_t widest = 0;
    for (std::size_t layer = 0; layer < network_.layers(); ++layer) widest = std::max(widest, outputs(layer));
    return widest;
  }

  /// Calls `f(parameter, place)` with the number in the stage and in the layer.
  template <class Function>
  void for_each_parameter(weir::LayerRange const& range, std::size_t layer, Function f) const {
    std::size_t const first = network_.first_parameter(layer);
    std::size_t const before = network_.first_parameter(range.first);
    for (std::size_t parameter = first; parameter < network_.first_parameter(layer + 1); ++parameter)
      f(parameter - before, parameter - first);
  }

  /// Places the activations of a micro-batch's stage in its memory. Returns where the gradient of the logits
  /// goes, in the last stage.
  template <class Micro>
  float* lay_out(Micro& micro, std::vector<LayerPass<float>>& passes) const {
    weir::LayerRange const range = cut_[micro.stage()];
    std::size_t const samples = micro.samples().size();
    float* free = micro.saved().data();
    auto const take = [&free](std::size_t elements) {
      return std::exchange(free, free + NetworkCut::padded(elements));
    };
    float const* in = range.first == 0 ? take(samples * network_.input().size()) : micro.input().data();
    for (std::size_t layer = range.first; layer < range.end; ++layer) {
      LayerPass<float>& pass = passes[layer - range.first];
      pass = {.samples = samples, .in = in};
      pass.out = take(samples * outputs(layer));
      pass.scratch = take(network_.layer(layer).scratch(samples));
      for_each_parameter(range, layer, [&](std::size_t parameter, std::size_t place) {
        pass.parameters[place] = micro.weights(parameter).data();
      });
      in = pass.out;
    }
    return free;
  }

  Network<float> const& network_;
  Images const& images_;
  NetworkCut cut_;
  PipelineDesks desks_;
};

}  // namespace weir_train
