#include "weir/pipeline/drop_backwards.hpp"

#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

namespace {

using namespace weir;

constexpr auto trained = table<WPipe, 2, 4>();
constexpr bool has_forwards_only(TableView const& table, std::size_t count) {
  for (Operation const& operation : table.operations()) {
    if (operation.kind != OperationKind::forward || operation.version != 0) return false;
  }
  return table.operations().size() == count && table.synchronous();
}
static_assert(has_forwards_only(drop_backwards(trained), 16));
static_assert(has_forwards_only(drop_backwards(table<DualPipe, 2, 4>()), 8));

}  // namespace
