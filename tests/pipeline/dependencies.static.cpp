#include "weir/pipeline/dependencies.hpp"

#include "weir/pipeline/schedule/zb_h1.hpp"

namespace {

using namespace weir;

/// How many operations one needs.
constexpr std::uint32_t needs(OperationKind kind, std::uint16_t stage) {
  constexpr auto three = table<ZbH1, 3, 2>();
  OperationIndex const index(three);
  std::uint32_t count = 0;
  for_each_dependency(three, index, {kind, Direction::forward, stage, 1}, [&](std::uint32_t) { ++count; });
  return count;
}
static_assert(needs(OperationKind::forward, 0) == 0 && needs(OperationKind::forward, 1) == 1);
static_assert(needs(OperationKind::backward_input, 1) == 2 && needs(OperationKind::backward_input, 2) == 1);
static_assert(needs(OperationKind::backward_weight, 2) == 1 && needs(OperationKind::update, 0) == 0);

}  // namespace
