#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "dense.hpp"
#include "dense_layers.hpp"
#include "max_pooling.hpp"
#include "network.hpp"

namespace weir_train {

/// Two 3x3 convolutions, of 16 and 32 filters, each with ReLU and 2x2 pooling, and a dense layer. Images have
/// at least 4 x 4 pixels. `make` makes the convolutions.
template <class Real, class Make = DenseLayers<Real>>
Network<Real> cnn(Shape input, std::size_t classes, Make make = {}) {
  typename Network<Real>::Layers layers;
  for (std::size_t const filters : {std::size_t{16}, std::size_t{32}}) {
    layers.push_back(make.convolution(input, filters, Activation::relu));
    layers.push_back(std::make_unique<MaxPooling<Real>>(layers.back()->output()));
    input = layers.back()->output();
  }
  layers.push_back(std::make_unique<Dense<Real>>(input, classes, Activation::none));
  return Network<Real>(std::move(layers));
}

}  // namespace weir_train
