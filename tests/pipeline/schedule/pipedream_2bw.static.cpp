#include "weir/pipeline/schedule/pipedream_2bw.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<PipeDream2BW>);

static_assert(validate(table<PipeDream2BW, 4, 8>()));
static_assert(table<PipeDream2BW, 4, 8>().properties.period == 4);
static_assert(PipeDream2BW::weight_rule({.workers = 4}, 3) == WeightRule{.delay = 1, .versions = 2});

// With a period below p - 1 there is no version 1 yet when period 2 begins.
constexpr auto hasty = table<PipeDream2BW, ScheduleShape{.workers = 4, .micro_batches = 8, .period = 2}>();
static_assert(validate(hasty).count(ViolationCode::version) == 1 && validate(hasty).count() == 1);
static_assert(validate(hasty).violations()[0].cell.micro_batch == 4);
static_assert(validate(table<PipeDream2BW, ScheduleShape{.workers = 4, .micro_batches = 9, .period = 3}>()));
static_assert(refusal<PipeDream2BW>({.workers = 4, .micro_batches = 9}).nearest == 8);

}  // namespace
