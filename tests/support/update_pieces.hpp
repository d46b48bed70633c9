#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/verb_oracle.hpp"
#include "weir/exec/gradient_control.hpp"
#include "weir/exec/update_list.hpp"
#include "weir/exec/weighted_term.hpp"

/// What the updates of many tensors do, in plain loops over memory that the host can read.
/// `update(weights, out, gradient, offset)` updates one element.
template <class Real, class Element, class Space, class Update>
void update_pieces_by_hand(weir::UpdateList<Real> const& list,
                           std::span<weir::WeightedTerm<Element, Space> const> terms,
                           weir::GradientScale const& scale, Update const& update) {
  for (std::size_t c = 0; c < list.count; ++c) {
    weir::UpdateChunk<Real> chunk = list.chunks[c];
    chunk.weights += list.shift.read;
    chunk.out += list.shift.write;
    bool const keep = scale.skip() || (list.used != nullptr && list.used[chunk.parameter] == 0);
    for (std::size_t i = 0; i < chunk.size; ++i) {
      Real sum{};
      for (std::size_t t = 0; t < terms.size(); ++t) {
        Real const value = static_cast<Real>(terms[t].values[chunk.offset + i]);
        Real const product = oracle::times(value, static_cast<Real>(terms[t].weight));
        sum = t == 0 ? product : oracle::plus(sum, product);
      }
      if (keep) {
        chunk.out[i] = chunk.weights[i];
      } else {
        update(chunk.weights + i, chunk.out + i, sum, chunk.offset + i);
      }
      if (list.copies.by_parameter == nullptr) continue;
      auto* const copy = static_cast<std::uint16_t*>(list.copies.by_parameter[chunk.parameter]);
      float const rounded = static_cast<float>(chunk.out[i]);
      copy[chunk.begin + i] = list.copies.type == weir::ElementType::float16 ? weir::half(rounded).bits()
                                                                             : weir::bfloat16(rounded).bits();
    }
  }
}
