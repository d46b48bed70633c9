#include "weir/pipeline/schedule/two_way_steps.hpp"

namespace {

using namespace weir;

/// How many of each kind the steps of a worker emit, and whether every pair is a forward and a backward.
struct Counts {
  std::uint32_t forwards = 0;
  std::uint32_t inputs = 0;
  std::uint32_t weights = 0;
  bool has_good_pairs = true;
};

constexpr Counts count(std::uint32_t depth, std::uint32_t rank, std::uint32_t micro_batches) {
  Counts counts;
  bool is_in_pair = false;
  auto out = [&](OperationKind kind, std::uint32_t, std::uint32_t, Direction) {
    Operation const operation{.kind = kind};
    if (is_in_pair && kind != OperationKind::backward) counts.has_good_pairs = false;
    is_in_pair = kind == OperationKind::pair;
    counts.forwards += is_forward(operation) ? 1 : 0;
    counts.inputs += gives_input_gradient(operation) ? 1 : 0;
    counts.weights += gives_weight_gradient(operation) ? 1 : 0;
  };
  detail::TwoWaySteps steps(out, {0, Direction::forward, 0}, {1, Direction::forward, 0});
  steps.emit(depth, rank, micro_batches);
  return counts;
}

/// Each way has every micro-batch once, forward and backward.
constexpr bool is_complete(std::uint32_t depth, std::uint32_t rank, std::uint32_t micro_batches) {
  Counts const counts = count(depth, rank, micro_batches);
  return counts.forwards == 2 * micro_batches && counts.inputs == 2 * micro_batches &&
         counts.weights == 2 * micro_batches && counts.has_good_pairs;
}
static_assert(is_complete(1, 0, 2));
static_assert(is_complete(3, 0, 6) && is_complete(3, 1, 6) && is_complete(3, 2, 6));
static_assert(is_complete(3, 0, 11) && is_complete(3, 1, 11) && is_complete(3, 2, 11));

}  // namespace
