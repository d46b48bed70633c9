#include "weir/pipeline/update_counter.hpp"

#include "weir/pipeline/schedule/wpipe.hpp"

namespace {

using namespace weir;

/// The updates of a stage are where its last weight gradient of a period is.
constexpr bool counts() {
  auto const two_periods = table<WPipe, 2, 4>();
  UpdateCounter counter(two_periods);
  std::uint32_t updates_of_stage_0 = 0;
  for (Operation const& operation : two_periods.view().worker(0)) {
    bool const is_last = gives_weight_gradient(operation) && operation.micro_batch % 2 == 1;
    if (counter.pass(operation) != is_last) return false;
    if (is_last && operation.stage == 0 && counter.updates(operation) != ++updates_of_stage_0) return false;
  }
  return updates_of_stage_0 == 2 && counter.periods() == 2;
}
static_assert(counts());

}  // namespace
