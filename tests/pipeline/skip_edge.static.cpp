#include "weir/pipeline/skip_edge.hpp"

#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

// A stage that reads what one two before it gives does not change what 1F1B can do.
constexpr SkipEdge edges[] = {{.from = 0, .to = 2}};
static_assert(validate(table<OneFOneB, 4, 4>(), {.skip_edges = edges}));

}  // namespace
