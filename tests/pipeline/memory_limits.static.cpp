#include "weir/pipeline/memory_limits.hpp"

#include "weir/pipeline/schedule/gpipe.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

using namespace weir;

static_assert(validate(table<GPipe, 2, 4>(), {.limits = {.activations = 4}}));
static_assert(validate(table<GPipe, 2, 4>(), {.limits = {.activations = 3}}).count(ViolationCode::memory) ==
              2);

}  // namespace
