#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "dense.hpp"
#include "dense_layers.hpp"
#include "network.hpp"

namespace weir_train {

/// A multilayer perceptron: linear layers with ReLU between them, of which `make` makes all but the last.
template <class Real, class Make = DenseLayers<Real>>
Network<Real> mlp(Shape input, std::span<std::size_t const> hidden, std::size_t classes, Make make = {}) {
  typename Network<Real>::Layers layers;
  for (std::size_t const width : hidden) {
    layers.push_back(make.linear(input, width, Activation::relu));
    input = layers.back()->output();
  }
  layers.push_back(std::make_unique<Dense<Real>>(input, classes, Activation::none));
  return Network<Real>(std::move(layers));
}

}  // namespace weir_train
