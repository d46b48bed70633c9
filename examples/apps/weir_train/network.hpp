#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "layer.hpp"
#include "weir/core/random.hpp"

namespace weir_train {

/// Layers in a row. The last one has an output per class, of each of its predictions.
template <class Real>
class Network {
 public:
  using Layers = std::vector<std::unique_ptr<Layer<Real> const>>;

  explicit Network(Layers layers) : layers_(std::move(layers)) {
    for (auto const& layer : layers_) {
      first_parameter_.push_back(parameters_.size());
      for (ParameterInfo const& parameter : layer->parameters()) parameters_.push_back(parameter);
    }
    first_parameter_.push_back(parameters_.size());
  }

  std::size_t layers() const { return layers_.size(); }
  Layer<Real> const& layer(std::size_t index) const { return *layers_[index]; }
  Shape input() const { return layers_.front()->input(); }
  std::size_t classes() const { return layers_.back()->output().channels; }
  /// Of one sample: one, or one for each position of a sequence.
  std::size_t predictions() const { return layers_.back()->output().pixels(); }

  std::vector<ParameterInfo> const& parameters() const { return parameters_; }
  /// The first parameter of a layer; for `layers()`, the number of all.
  std::size_t first_parameter(std::size_t layer) const { return first_parameter_[layer]; }

  /// In memory, what only fills up among them.
  std::size_t elements() const { return total(&ParameterInfo::elements); }
  /// Those that are trained.
  std::size_t live_elements() const { return total(&ParameterInfo::live); }
  /// Those of the same network without masks.
  std::size_t elements_of_dense() const { return total(&ParameterInfo::of_dense); }

  /// Fills the weights, which lie in the order of registration, with what depends on the seed only.
  void initialise(std::uint64_t seed, std::span<Real> weights) const {
    constexpr std::uint32_t before_training = 0xffff'ffff;  // a micro-batch that no step has
    for (std::size_t layer = 0; layer < layers(); ++layer) {
      std::size_t const first = first_parameter(layer);
      for (std::size_t parameter = first; parameter < first_parameter(layer + 1); ++parameter) {
        std::size_t const elements = parameters_[parameter].elements;
        layers_[layer]->initialise(
            parameter - first,
            {.seed = seed, .micro_batch = before_training, .site = static_cast<std::uint32_t>(parameter)},
            weights.first(elements));
        weights = weights.subspan(elements);
      }
    }
  }

 private:
  std::size_t total(std::size_t ParameterInfo::*count) const {
    std::size_t sum = 0;
    for (ParameterInfo const& parameter : parameters_) sum += parameter.*count;
    return sum;
  }

  Layers layers_;
  std::vector<ParameterInfo> parameters_;
  std::vector<std::size_t> first_parameter_;
};

}  // namespace weir_train
