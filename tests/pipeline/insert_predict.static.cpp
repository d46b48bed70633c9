#include "weir/pipeline/insert_predict.hpp"

#include "weir/pipeline/schedule/gpipe.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

namespace {

using namespace weir;

constexpr std::size_t predictions(TableView const& table, std::uint32_t stage) {
  std::size_t count = 0;
  for (Operation const& operation : table.operations()) {
    count += operation.kind == OperationKind::predict && operation.stage == stage ? 1 : 0;
  }
  return count;
}
// Group 0 is late from its second period on, group 1 never.
constexpr auto three_periods = table<WPipe, 2, 6>();
static_assert(predictions(insert_predict(three_periods), 0) == 2);
static_assert(predictions(insert_predict(three_periods), 2) == 0);
static_assert(predictions(insert_predict(table<GPipe, 2, 4>()), 0) == 0);

}  // namespace
