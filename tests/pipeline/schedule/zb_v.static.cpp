#include "weir/pipeline/schedule/zb_v.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<ZbV>);

constexpr auto three = table<ZbV, 2, 3>();
static_assert(is_row(three, 1, "1F0 2F0 1F1 2F1 2I0 2W0 1F2 1I0 1W0 2F2 2I1 2W1 1I1 2I2 1I2 1W1 2W2 1W2"));
static_assert(validate(three));
static_assert(validate(table<ZbV, 4, 1>()));
static_assert(ZbV::worker_of({.workers = 4}, 5, Direction::forward) == 2);

}  // namespace
