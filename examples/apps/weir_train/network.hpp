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

/// Layers in a row. The last one has an output per class.
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
  std::size_t classes() const { return layers_.back()->output().size(); }

  std::vector<ParameterInfo> const& parameters() const { return parameters_; }
  /// The first parameter of a layer; for `layers()`, the number of all.
  std::size_t first_parameter(std::size_t layer) const { return first_parameter_[layer]; }

  std::size_t elements() const {
    std::size_t total = 0;
    for (ParameterInfo const& parameter : parameters_) total += parameter.elements;
    return total;
  }

  /// Fills the weights, which lie in the order of registration, with what depends on the seed only.
  void initialise(std::uint64_t seed, std::span<Real> weights) const {
    constexpr std::uint32_t before_training = 0xffff'ffff;  // a micro-batch that no step has
    auto at = weights.begin();
    for (std::uint32_t site = 0; site < parameters_.size(); ++site) {
      weir::RandomStream const random{.seed = seed, .micro_batch = before_training, .site = site};
      auto const bound = static_cast<Real>(parameters_[site].bound);
      for (std::size_t i = 0; i < parameters_[site].elements; ++i) {
        *at++ = bound * static_cast<Real>(2 * random.uniform(i) - 1);
      }
    }
  }

 private:
  Layers layers_;
  std::vector<ParameterInfo> parameters_;
  std::vector<std::size_t> first_parameter_;
};

}  // namespace weir_train
