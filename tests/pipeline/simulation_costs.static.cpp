#include "weir/pipeline/simulation_costs.hpp"

namespace {

using namespace weir;

static_assert(StageCost{}.forward == 1 && StageCost{}.backward_input == 1 &&
              StageCost{}.backward_weight == 1);
static_assert(StageCost{Rational(1, 2), 2, 3}.forward == Rational(1, 2));

}  // namespace
