#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "dense.hpp"
#include "dense_layers.hpp"
#include "network.hpp"
#include "recurrence.hpp"

namespace weir_train {

/// Gated recurrent units on top of each other, which read an image row by row, and a dense layer on the last
/// state. `make` makes the matrices of the units.
template <class Real, class Make = DenseLayers<Real>>
Network<Real> gru(Shape input, std::span<std::size_t const> hidden, std::size_t classes, Make make = {}) {
  using Unit = Recurrence<Real, typename Make::Matrices>;
  typename Network<Real>::Layers layers;
  for (std::size_t index = 0; index < hidden.size(); ++index) {
    auto const gives = index + 1 < hidden.size() ? Unit::Gives::every_state : Unit::Gives::last_state;
    layers.push_back(std::make_unique<Unit>(input, hidden[index], gives, make));
    input = layers.back()->output();
  }
  layers.push_back(std::make_unique<Dense<Real>>(input, classes, Activation::none));
  return Network<Real>(std::move(layers));
}

}  // namespace weir_train
