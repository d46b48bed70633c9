#include "weir/exec/non_finite_policy.hpp"

static_assert(static_cast<int>(weir::NonFinitePolicy::skip) == 0);  // the default of a zeroed description
static_assert(sizeof(weir::NonFinitePolicy) == 1);
