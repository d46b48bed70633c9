#include "weir/pipeline/schedule/wpipe.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<WPipe>);

constexpr auto four = table<WPipe, 2, 4>();
static_assert(is_row(four, 0, "0F0 0F1 2F0 2F1 2B0 0F2 2B1 0F3 0B0 2F2 0B1 2F3 2B2 2B3 0B2 0B3"));
static_assert(is_row(four, 1, "1F0 1F1 3F0 3B0 3F1 3B1 1F2 1B0 1F3 1B1 3F2 3B2 3F3 3B3 1B2 1B3"));
static_assert(validate(four));
static_assert(WPipe::weight_rule({.workers = 2}, 1) == WeightRule{.delay = 1, .versions = 2});
static_assert(WPipe::weight_rule({.workers = 2}, 2) == WeightRule{.delay = 0, .versions = 1});

// Twice the period at the activations of one block.
constexpr ScheduleShape blocks{.workers = 2, .micro_batches = 8, .period = 4, .blocks = 2};
static_assert(validate(table<WPipe, blocks>()));
static_assert(peak_activations(table<WPipe, blocks>())[0] == peak_activations(four)[0]);

// Blocks below p - 1 come too early for the versions, and worker 5 for worker 0.
constexpr ScheduleShape small{.workers = 6, .micro_batches = 8, .period = 2};
static_assert(validate(table<WPipe, small>()).has(ViolationCode::deadlock));
static_assert(validate(table<WPipe, small>()).has(ViolationCode::version));
static_assert(refusal<WPipe>({.workers = 4, .micro_batches = 9}).nearest == 8);
static_assert(refusal<WPipe>({.workers = 4, .micro_batches = 8, .blocks = 3}).nearest == 2);

}  // namespace
