#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/stage_micro.hpp"

namespace weir::inline v1::detail {

/// A hash of the parts of messages that micro-batches fill. Every bit counts.
class PayloadHash {
 public:
  void add(MessageLayout const* layout, std::byte const* data, std::size_t samples, std::size_t element) {
    if (layout == nullptr || data == nullptr) return;
    for (std::size_t k = 0; k < layout->elements.size(); ++k)
      add(data + layout->offsets[k], layout->elements[k] * samples * element);
  }

  std::uint64_t value() const { return value_; }

 private:
  void add(std::byte const* data, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, data + i, bytes - i < 8 ? bytes - i : 8);
      value_ = (value_ ^ word) * 0x9e37'79b9'7f4a'7c15;
      value_ ^= value_ >> 29;
    }
  }

  std::uint64_t value_ = 0xcbf2'9ce4'8422'2325;
};

struct CallHashes {
  std::uint64_t taken = 0;
  std::uint64_t given = 0;
};

/// Of what a call of a stage was given and has given.
template <class E, class Real>
CallHashes hashes_of(Operation const& operation, StageCall<E, Real> const& call) {
  auto const& lane = call.lane;
  bool const is_backward = !is_forward(operation) && !call.is_recompute;
  PayloadHash taken;
  PayloadHash given;
  taken.add(lane.inputs, call.input, call.samples, sizeof(Real));
  for (std::size_t k = 0; k < lane.skip_inputs.size(); ++k)
    taken.add(lane.skip_inputs[k], call.skip_inputs[k], call.samples, sizeof(Real));
  if (!is_backward) given.add(lane.outputs, call.output, call.samples, sizeof(Real));
  if (is_backward) {
    taken.add(lane.output_gradients, call.output_gradient, call.samples, sizeof(Real));
    given.add(lane.input_gradients, call.input_gradient, call.samples, sizeof(Real));
  }
  if (is_backward && gives_input_gradient(operation)) {
    for (std::size_t k = 0; k < lane.skip_gradients.size(); ++k)
      given.add(lane.skip_gradients[k], call.skip_gradients[k], call.samples, sizeof(Real));
  }
  return {taken.value(), given.value()};
}

}  // namespace weir::inline v1::detail
