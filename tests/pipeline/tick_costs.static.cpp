#include "weir/pipeline/tick_costs.hpp"

namespace {

using namespace weir;
using detail::TickCosts;

constexpr Operation of(OperationKind kind, Direction direction = Direction::forward) {
  return {.kind = kind, .direction = direction};
}

/// A stage of two copies, the second one twice as slow; a pair takes half of its parts.
constexpr TickCosts costs() {
  TickCosts result;
  result.stages = {{1, 2, 4}, {2, 4, 8}};
  result.directions = 2;
  result.pair_denominator = 2;
  return result;
}
static_assert(costs().of(of(OperationKind::forward)) == 1);
static_assert(costs().of(of(OperationKind::recompute)) == 1);
static_assert(costs().of(of(OperationKind::backward_input)) == 2);
static_assert(costs().of(of(OperationKind::backward_weight)) == 4);
static_assert(costs().of(of(OperationKind::backward)) == 6);
static_assert(costs().of(of(OperationKind::backward, Direction::reverse)) == 12);
static_assert(costs().of(of(OperationKind::send_forward)) == 0);
static_assert(costs().of_pair(of(OperationKind::pair, Direction::reverse), of(OperationKind::backward)) == 4);
static_assert(TickCosts{}.of(of(OperationKind::forward)) == 0);

}  // namespace
