#include "weir/pipeline/placement.hpp"

namespace {

using namespace weir;

constexpr ScheduleShape shape{.workers = 4};
static_assert(RoundRobinPlacement::stages(4, 3) == 12);
static_assert(RoundRobinPlacement::worker_of(shape, 6, Direction::forward) == 2);
static_assert(FoldedPlacement::worker_of(shape, 3, Direction::forward) == 3);
static_assert(FoldedPlacement::worker_of(shape, 4, Direction::forward) == 3);
static_assert(FoldedPlacement::worker_of(shape, 7, Direction::forward) == 0);
static_assert(MirroredPlacement::worker_of(shape, 1, Direction::forward) == 1);
static_assert(MirroredPlacement::worker_of(shape, 1, Direction::reverse) == 2);

}  // namespace
