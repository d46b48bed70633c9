#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "convolution.hpp"
#include "dense.hpp"
#include "max_pooling.hpp"
#include "network.hpp"

namespace weir_train {

/// Two 3x3 convolutions, of 16 and 32 filters, each with ReLU and 2x2 pooling, and a dense layer. Images have
/// at least 4 x 4 pixels.
template <class Real>
Network<Real> cnn(Shape input, std::size_t classes) {
  typename Network<Real>::Layers layers;
  for (std::size_t const filters : {std::size_t{16}, std::size_t{32}}) {
    layers.push_back(std::make_unique<Convolution<Real>>(input, filters, Activation::relu));
    layers.push_back(std::make_unique<MaxPooling<Real>>(layers.back()->output()));
    input = layers.back()->output();
  }
  layers.push_back(std::make_unique<Dense<Real>>(input, classes, Activation::none));
  return Network<Real>(std::move(layers));
}

}  // namespace weir_train
