#include "weir/pipeline/table_run.hpp"

#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

namespace {

using namespace weir;

using detail::Blocked;
using detail::TableRun;
using detail::TickCosts;

constexpr bool ends(TableView const& table, std::uint32_t capacity) {
  OperationIndex const index(table);
  TickCosts const no_time;
  return TableRun(table, index, no_time, capacity).is_complete();
}
constexpr auto wpipe = table<WPipe, 4, 8>();
static_assert(ends(wpipe, unlimited_capacity) && ends(wpipe, 2) && !ends(wpipe, 1) && !ends(wpipe, 0));

/// Two workers, F of 2 and B of 3 ticks, a tick of latency.
constexpr bool has_times() {
  constexpr auto table = weir::table<OneFOneB, 2, 1>();
  OperationIndex const index(table);
  TickCosts costs;
  costs.stages.assign(2, {2, 1, 2});
  costs.latency = 1;
  TableRun const run(table, index, costs);
  return run.start()[0] == 0 && run.end()[0] == 2 && run.start()[2] == 3 && run.end()[3] == 8 &&
         run.start()[1] == 9 && run.workers()[0].busy == 5 && run.workers()[1].first_start == 3 &&
         run.workers()[0].last_end == 12;
}
static_assert(has_times());

}  // namespace
