#include "weir/exec/non_finite_policy.hpp"

static_assert(static_cast<int>(weir::NonFinitePolicy::skip) == 0);  // the default of a zeroed description
static_assert(weir::is_skipped(weir::NonFinitePolicy::skip, 1));
static_assert(weir::is_skipped(weir::NonFinitePolicy::error, 1));
static_assert(!weir::is_skipped(weir::NonFinitePolicy::propagate, 1));
static_assert(!weir::is_skipped(weir::NonFinitePolicy::skip, 0));
static_assert(sizeof(weir::NonFinitePolicy) == 1);
