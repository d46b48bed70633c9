#include "weir/pipeline/check_cells.hpp"

#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace {

using namespace weir;

/// 1F1B on two workers with one operation changed.
template <class Change>
constexpr Validation checked(Change const& change) {
  ScheduleTable table = make_table<OneFOneB>({.workers = 2, .micro_batches = 2});
  change(table.operations());
  Validation result(10);
  OperationIndex const index(table);
  detail::CellCheck(table, index, {}, result).run();
  return result;
}
static_assert(checked([](std::span<Operation>) {}));
// 0F0 becomes 0F1: one is missing, and one is there twice.

static_assert(checked([](std::span<Operation> all) {
                all[0].micro_batch = 1;
              }).count(ViolationCode::missing) == 1);
static_assert(checked([](std::span<Operation> all) {
                all[0].micro_batch = 1;
              }).count(ViolationCode::duplicate) == 1);
static_assert(checked([](std::span<Operation> all) { all[0].stage = 9; }).violations().back().kind ==
              ViolationKind::outside);
static_assert(checked([](std::span<Operation> all) { std::swap(all[4], all[5]); }).violations()[0].expected ==
              0);

}  // namespace
