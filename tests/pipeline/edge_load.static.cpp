#include "weir/pipeline/edge_load.hpp"

#include "weir/pipeline/schedule/gpipe.hpp"
#include "weir/pipeline/table_run.hpp"

namespace {

using namespace weir;

/// Four messages, each longer under way than the next one takes to make.
constexpr bool counts_messages() {
  constexpr auto table = weir::table<GPipe, 2, 4>();
  OperationIndex const index(table);
  detail::TickCosts costs;
  costs.stages = {{1, 1, 1}, {3, 1, 1}};  // the second stage is slower forward
  detail::TableRun const run(table, index, costs);
  std::vector<EdgeLoad> const loads = edge_loads(table, index, run.start(), run.end());
  if (loads.size() != 2) return false;
  for (EdgeLoad const& load : loads) {
    bool const is_forward_edge = load.from == 0 && load.to == 1 && load.is_forward;
    if (load.peak != (is_forward_edge ? 2u : 1u)) return false;
  }
  return true;
}
static_assert(counts_messages());

}  // namespace
