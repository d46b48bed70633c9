#include "weir/pipeline/edge_capacity.hpp"

#include "weir/pipeline/schedule/interleaved_one_f_one_b.hpp"
#include "weir/pipeline/schedule/looped_bfs.hpp"
#include "weir/pipeline/schedule/sequential.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

namespace {

using namespace weir;

static_assert(min_edge_capacity(table<Sequential, 3, 4>()) == 0);
static_assert(min_edge_capacity(table<LoopedBfs, 2, 6>()) == 3);
static_assert(min_edge_capacity(table<WPipe, 2, 4>()) == 1);
constexpr ScheduleShape long_block{.workers = 2, .micro_batches = 12, .period = 6};
static_assert(min_edge_capacity(table<WPipe, long_block>()) == 5);  // Q - p + 1
constexpr ScheduleShape early{.workers = 4, .micro_batches = 8, .warmup_factor = 1};
static_assert(min_edge_capacity(table<InterleavedOneFOneB, early>()) == 2);

}  // namespace
