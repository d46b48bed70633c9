#include "weir/pipeline/pipeline_run.hpp"

// A pass makes an update unless it is said that it is one of several.
static_assert(weir::detail::PipelineRun{}.is_update && weir::detail::PipelineRun{}.flush == 0);
