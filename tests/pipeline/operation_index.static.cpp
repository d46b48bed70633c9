#include "weir/pipeline/operation_index.hpp"

#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/zb_h1.hpp"

namespace {

using namespace weir;

constexpr auto table_of_three = table<ZbH1, 3, 4>();
constexpr bool finds() {
  OperationIndex const index(table_of_three);
  TableView const view = table_of_three;
  std::uint32_t const at = index.weight(Direction::forward, 1, 2);
  return view.operations()[at] == Operation{OperationKind::backward_weight, Direction::forward, 1, 2} &&
         index.input(Direction::forward, 1, 2) == at - 3 && index.worker_of(Direction::forward, 1) == 1 &&
         index.position(view.operations()[at]) == at && index.directions() == 1;
}
static_assert(finds());

constexpr bool finds_both_directions() {
  constexpr auto mirrored = table<DualPipe, 2, 4>();
  OperationIndex const index(mirrored);
  return index.directions() == 2 && index.worker_of(Direction::forward, 0) == 0 &&
         index.worker_of(Direction::reverse, 0) == 1 &&
         index.forward(Direction::reverse, 0, 0) == OperationIndex::none &&
         index.forward(Direction::forward, 0, 0) == 0;
}
static_assert(finds_both_directions());

}  // namespace
