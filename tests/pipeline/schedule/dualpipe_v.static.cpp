#include "weir/pipeline/schedule/dualpipe_v.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<DualPipeV>);

constexpr auto four = table<DualPipeV, 2, 4>();
static_assert(is_row(four, 1,
                     "1F0 2F0 1F1 2F1 1F2 2B0 (2F2;1B0) (1F3;2B1) (2F3;1B1) 2B2 1B2 2I3 1I3 2W3 1W3"));
static_assert(validate(four));
static_assert(validate(table<DualPipeV, 1, 2>()));
static_assert(refusal<DualPipeV>({.workers = 4, .micro_batches = 7}).nearest == 8);

}  // namespace
