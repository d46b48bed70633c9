#include "weir/pipeline/pipeline_options.hpp"

// Nothing is recomputed, tied or left out unless it is asked for.
static_assert(weir::Remainder() == weir::Remainder::error);
static_assert(weir::Recompute() == weir::Recompute::never);
static_assert(weir::EdgeTensor().has_gradient);
