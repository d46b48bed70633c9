#include "weir/pipeline/weight_rule.hpp"

namespace {

using namespace weir;

static_assert(WeightRule{.delay = 1, .versions = 2}.version(0) == 0);
static_assert(WeightRule{.delay = 1, .versions = 2}.version(3) == 2);
static_assert(WeightRule{}.version(3) == 3);

}  // namespace
