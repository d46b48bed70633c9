#include "weir/pipeline/schedule/looped_bfs.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(Schedule<LoopedBfs>);

constexpr auto two = table<LoopedBfs, 2, 2>();
static_assert(is_row(two, 0, "0F0 0F1 2F0 2F1 2B0 2B1 0B0 0B1"));
static_assert(is_row(two, 1, "1F0 1F1 3F0 3F1 3B0 3B1 1B0 1B1"));
static_assert(validate(two));
static_assert(validate(table<LoopedBfs, 3, 2, 4>()));

}  // namespace
