#include "weir/pipeline/fifo_order.hpp"

#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/dualpipe_v.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/pipeline/schedule/zb_v.hpp"

namespace {

using namespace weir;

constexpr bool needs_tags(TableView const& table) {
  FifoOrder const order = fifo_order(table);
  return !(order.per_stage && order.per_edge);
}
constexpr bool needs_two_queues(TableView const& table) {
  return !fifo_order(table).per_worker_pair;
}
static_assert(!needs_tags(table<OneFOneB, 4, 8>()) && !needs_two_queues(table<OneFOneB, 4, 8>()));
static_assert(!needs_tags(table<ZbV, 4, 8>()) && needs_two_queues(table<ZbV, 4, 8>()));
static_assert(!needs_tags(table<DualPipeV, 3, 6>()) && needs_two_queues(table<DualPipeV, 3, 6>()));
static_assert(!needs_tags(table<DualPipe, 6, 12>()) && needs_two_queues(table<DualPipe, 6, 12>()));
static_assert(!needs_two_queues(table<DualPipe, 4, 8>()));
static_assert(needs_two_queues(table<WPipe, 2, 4>()) && !needs_two_queues(table<WPipe, 4, 8>()));

/// Worker 1 takes its micro-batches in the other order.
constexpr ScheduleTable overtaking() {
  ScheduleTable table({.workers = 2, .stages = 2, .micro_batches = 2});
  for (std::uint16_t stage = 0; stage < 2; ++stage) {
    table.next_worker();
    for (std::uint32_t i = 0; i < 2; ++i) table.add({.stage = stage, .micro_batch = stage == 0 ? i : 1 - i});
  }
  return table;
}
static_assert(needs_tags(overtaking()));

}  // namespace
