#include "weir/pipeline/schedule/pipedream.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<PipeDream>);

constexpr auto eight = table<PipeDream, 4, 8>();
static_assert(validate(eight));
static_assert(eight.properties.period == 1 && !eight.properties.synchronous);
static_assert(PipeDream::weight_rule({.workers = 4}, 1) == WeightRule{.delay = 2, .versions = 3});

// Stage 1 of 4 is two updates late.
static_assert(eight.view().worker(1)[3] ==
              Operation{OperationKind::backward, Direction::forward, 1, 0, 0, 0});
static_assert(eight.view().worker(1)[4] == Operation{OperationKind::forward, Direction::forward, 1, 3, 1, 3});
static_assert(refusal<PipeDream>({.workers = 4, .micro_batches = 8, .period = 2}).nearest == 1);

}  // namespace
