#include "weir/pipeline/insert_recompute.hpp"

#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

constexpr std::size_t recomputations(TableView const& table) {
  std::size_t count = 0;
  for (Operation const& operation : table.operations())
    count += operation.kind == OperationKind::recompute ? 1 : 0;
  return count;
}
constexpr auto plain = table<OneFOneB, 3, 4>();
static_assert(recomputations(insert_recompute(plain, Recompute::never)) == 0);
static_assert(recomputations(insert_recompute(plain, Recompute::always)) == 12);
static_assert(recomputations(insert_recompute(plain, Recompute::except_last)) == 8);

constexpr bool stands_right_before() {
  ScheduleTable const table = insert_recompute(plain, Recompute::always);
  std::span<Operation const> const worker = table.view().worker(2);
  return worker[1].kind == OperationKind::recompute && worker[2].kind == OperationKind::backward &&
         worker[1].micro_batch == worker[2].micro_batch;
}
static_assert(stands_right_before());
// Pairs stay together.
static_assert(validate(insert_recompute(table<DualPipe, 2, 4>(), Recompute::always)));

}  // namespace
