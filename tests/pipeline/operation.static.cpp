#include "weir/pipeline/operation.hpp"

#include <type_traits>

namespace {

using namespace weir;

static_assert(sizeof(Operation) == 16 && std::is_trivially_copyable_v<Operation>);

constexpr Operation of(OperationKind kind) {
  return {.kind = kind};
}
static_assert(is_forward(of(OperationKind::forward)) && is_forward(of(OperationKind::pair)));
static_assert(!is_forward(of(OperationKind::recompute)));
static_assert(gives_input_gradient(of(OperationKind::backward)) &&
              gives_weight_gradient(of(OperationKind::backward)));
static_assert(gives_input_gradient(of(OperationKind::backward_input)));
static_assert(!gives_weight_gradient(of(OperationKind::backward_input)));
static_assert(gives_weight_gradient(of(OperationKind::backward_weight)));
static_assert(is_compute(of(OperationKind::pair)) && !is_compute(of(OperationKind::recompute)));
static_assert(is_send(of(OperationKind::send_backward)) && !is_send(of(OperationKind::receive_forward)));
static_assert(is_communication(of(OperationKind::receive_backward)) &&
              !is_communication(of(OperationKind::barrier)));

}  // namespace
