#include "weir/pipeline/merge_input_and_weight.hpp"

#include "pipeline/rows.hpp"
#include "weir/pipeline/schedule/zb_v.hpp"

namespace {

using namespace weir;

constexpr ScheduleTable split() {
  ScheduleTable table({.workers = 1, .stages = 1, .micro_batches = 2});
  table.next_worker();
  for (std::uint32_t j = 0; j < 2; ++j) table.add({.kind = OperationKind::forward, .micro_batch = j});
  table.add({.kind = OperationKind::backward_input, .micro_batch = 0});
  table.add({.kind = OperationKind::backward_weight, .micro_batch = 0});
  table.add({.kind = OperationKind::backward_input, .micro_batch = 1});
  return table;
}
static_assert(is_row(merge_input_and_weight(split()), 0, "0F0 0F1 0B0 0I1"));
static_assert(is_row(merge_input_and_weight(table<ZbV, 2, 3>()), 1,
                     "1F0 2F0 1F1 2F1 2B0 1F2 1B0 2F2 2B1 1I1 2I2 1I2 1W1 2W2 1W2"));

}  // namespace
