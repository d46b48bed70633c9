#include "weir/pipeline/schedule_table.hpp"

namespace {

using namespace weir;

constexpr bool keeps_workers_apart() {
  ScheduleTable table({.workers = 2, .stages = 2, .micro_batches = 1});
  table.next_worker();
  table.add({.stage = 0});
  table.add({.kind = OperationKind::backward, .stage = 0});
  table.next_worker();
  table.add({.stage = 1});
  TableView const view = table;
  return view.worker(0).size() == 2 && view.worker(1).size() == 1 && view.worker(1)[0].stage == 1 &&
         view.begin_of(1) == 2 && view.begin_of(2) == 3;
}
static_assert(keeps_workers_apart());

constexpr bool finds_workers() {
  ScheduleTable const table({.micro_batches = 3}, {{{}, {}}, {}, {{}}, {}});
  TableView const view = table;
  return view.worker_at(0) == 0 && view.worker_at(1) == 0 && view.worker_at(2) == 2;
}
static_assert(finds_workers());

constexpr bool compares() {
  ScheduleTable const one({.micro_batches = 1}, {{{.stage = 0}}});
  ScheduleTable const other({.micro_batches = 1}, {{{.stage = 1}}});
  ScheduleTable const longer({.micro_batches = 1}, {{{.stage = 0}, {.stage = 0}}});
  return one == one && !(one == other) && !(one == longer);
}
static_assert(compares());

}  // namespace
