#include "weir/pipeline/schedule/gpipe.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<GPipe>);

constexpr auto three = table<GPipe, 2, 3>();
static_assert(is_row(three, 0, "0F0 0F1 0F2 0B0 0B1 0B2"));
static_assert(is_row(three, 1, "1F0 1F1 1F2 1B0 1B1 1B2"));
static_assert(validate(three));

constexpr auto last_first = table<BasicGPipe<BackwardOrder::descending>, 2, 3>();
static_assert(is_row(last_first, 1, "1F0 1F1 1F2 1B2 1B1 1B0"));
static_assert(validate(last_first));

}  // namespace
