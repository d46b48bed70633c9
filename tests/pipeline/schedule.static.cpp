#include "weir/pipeline/schedule.hpp"

#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/zb_v.hpp"

namespace {

using namespace weir;

static_assert(Schedule<OneFOneB> && !Schedule<int>);

// The same rule fills an array and a vector.
constexpr auto array = table<OneFOneB, 3, 4>();
static_assert(array.view() == make_table<OneFOneB>({.workers = 3, .micro_batches = 4}).view());
static_assert(array.operations.size() == 3 * 4 * 2);
static_assert(array.properties ==
              TableProperties{.workers = 3, .stages = 3, .micro_batches = 4, .period = 4});

static_assert(
    completed<ZbV>({.workers = 4, .micro_batches = 8}) ==
    ScheduleShape{
        .workers = 4, .micro_batches = 8, .chunks = 2, .warmup_factor = 2, .period = 8, .blocks = 1});
static_assert(!refusal<OneFOneB>({.workers = 3, .micro_batches = 1}));
static_assert(refusal<OneFOneB>({.workers = 0, .micro_batches = 1}).parameter == ShapeParameter::workers);
static_assert(refusal<OneFOneB>({.workers = 1, .micro_batches = 0}).parameter ==
              ShapeParameter::micro_batches);
static_assert(refusal<OneFOneB>({.workers = 70'000, .micro_batches = 1}).nearest == 65'536);
static_assert(refusal<OneFOneB>({.workers = 2, .micro_batches = 4, .group = 2}).parameter ==
              ShapeParameter::group);
static_assert(refusal<OneFOneB>({.workers = 2, .micro_batches = 4, .blocks = 2}).parameter ==
              ShapeParameter::blocks);
static_assert(refusal<OneFOneB>({.workers = 2, .micro_batches = 4, .warmup_factor = 1}).nearest == 0);
static_assert(refusal<OneFOneB>({.workers = 2, .micro_batches = 4, .period = 2}).nearest == 4);

}  // namespace
