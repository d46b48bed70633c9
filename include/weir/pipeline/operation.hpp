#pragma once

#include <cstdint>

#include "weir/comm/direction.hpp"

namespace weir::inline v1 {

/// What a worker of a pipeline does. The first four are computed; the others are inserted by passes, but for
/// `pair`.
enum class OperationKind : std::uint8_t {
  forward,
  backward,         ///< the gradient of the input and that of the weights
  backward_input,   ///< of a backward that is split
  backward_weight,  ///< the other part
  pair,             ///< a forward that is issued together with the backward that follows it in the table
  recompute,
  load,
  loss,
  reduce,
  update,
  predict,
  send_forward,      ///< the stage sends its output
  receive_forward,   ///< the stage receives its input
  send_backward,     ///< the stage sends the gradient of its input
  receive_backward,  ///< the stage receives the gradient of its output
  barrier,
};

/// A cell of a schedule: trivially copyable, 16 bytes.
///
/// A pair takes two operations: a forward of kind `pair`, and the `backward` or `backward_input` of another
/// micro-batch right behind it. They are one slot of the worker.
struct Operation {
  OperationKind kind = OperationKind::forward;
  Direction direction = Direction::forward;
  std::uint16_t stage = 0;
  std::uint32_t micro_batch = 0;
  std::uint32_t version = 0;  ///< of the weights that it reads
  std::uint32_t period = 0;   ///< its micro-batch's: the update that its gradient goes into

  friend constexpr bool operator==(Operation const&, Operation const&) = default;
};
static_assert(sizeof(Operation) <= 16);

constexpr bool is_forward(Operation const& operation) {
  return operation.kind == OperationKind::forward || operation.kind == OperationKind::pair;
}

/// Whether it gives the gradient of the stage's input.
constexpr bool gives_input_gradient(Operation const& operation) {
  return operation.kind == OperationKind::backward || operation.kind == OperationKind::backward_input;
}

/// Whether it gives the gradient of the stage's weights, and needs the activations for the last time.
constexpr bool gives_weight_gradient(Operation const& operation) {
  return operation.kind == OperationKind::backward || operation.kind == OperationKind::backward_weight;
}

/// Whether it is one of those that every table has.
constexpr bool is_compute(Operation const& operation) {
  return operation.kind <= OperationKind::pair;
}

constexpr bool is_send(Operation const& operation) {
  return operation.kind == OperationKind::send_forward || operation.kind == OperationKind::send_backward;
}

constexpr bool is_receive(Operation const& operation) {
  return operation.kind == OperationKind::receive_forward ||
         operation.kind == OperationKind::receive_backward;
}

constexpr bool is_communication(Operation const& operation) {
  return is_send(operation) || is_receive(operation);
}

}  // namespace weir::inline v1
