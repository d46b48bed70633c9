#include "weir/pipeline/insert_updates.hpp"

#include "weir/pipeline/schedule/gpipe.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

namespace {

using namespace weir;

constexpr bool has_updates() {
  ScheduleTable const table = insert_updates(weir::table<WPipe, 2, 4>(), UpdateOperations::reduce_and_update);
  std::uint32_t count = 0;
  std::span<Operation const> const worker = table.view().worker(0);
  for (std::size_t i = 2; i < worker.size(); ++i) {
    if (worker[i].kind != OperationKind::update) continue;
    ++count;
    bool const is_good = worker[i - 1].kind == OperationKind::reduce &&
                         gives_weight_gradient(worker[i - 2]) && worker[i - 2].stage == worker[i].stage &&
                         worker[i].version == worker[i].period + 1;
    if (!is_good) return false;
  }
  return count == 4;  // two stages, two periods
}
static_assert(has_updates());

constexpr auto flush = table<GPipe, 2, 3>();
static_assert(insert_updates(flush).view().worker(1).back() ==
              Operation{OperationKind::update, Direction::forward, 1, 2, 1, 0});
static_assert(insert_updates(flush, UpdateOperations::reduce).view().worker(1).size() == 7);

}  // namespace
