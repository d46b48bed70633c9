#include "weir/pipeline/activations.hpp"

#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/zb_v.hpp"

namespace {

using namespace weir;

// The new activations of a pair come before the old ones go.
static_assert(peak_activations(table<DualPipe, 2, 4>())[0] == 3);
// The gradient of the input frees nothing.
static_assert(peak_activations(table<ZbV, 2, 3>())[1] == 4);

}  // namespace
