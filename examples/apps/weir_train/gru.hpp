#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "dense.hpp"
#include "network.hpp"
#include "recurrence.hpp"

namespace weir_train {

/// Gated recurrent units on top of each other, which read an image row by row, and a dense layer on the last
/// state.
template <class Real>
Network<Real> gru(Shape input, std::span<std::size_t const> hidden, std::size_t classes) {
  typename Network<Real>::Layers layers;
  for (std::size_t index = 0; index < hidden.size(); ++index) {
    auto const gives = index + 1 < hidden.size() ? Recurrence<Real>::Gives::every_state
                                                 : Recurrence<Real>::Gives::last_state;
    layers.push_back(std::make_unique<Recurrence<Real>>(input, hidden[index], gives));
    input = layers.back()->output();
  }
  layers.push_back(std::make_unique<Dense<Real>>(input, classes, Activation::none));
  return Network<Real>(std::move(layers));
}

}  // namespace weir_train
