#include "weir/pipeline/pipeline_run.hpp"

// The last micro-batch has what is left, and those behind it nothing.
constexpr weir::detail::PipelineRun run{.micro_batches = 3, .local_batch = 4, .samples = 9};
static_assert(run.samples_of(0) == 4 && run.samples_of(2) == 1 && run.samples_of(3) == 0);
constexpr weir::detail::PipelineRun cut{
    .micro_batches = 2, .local_batch = 4, .samples = 9};  // the rest is dropped
static_assert(cut.samples_of(1) == 4 && cut.samples_of(2) == 0);

// A pass makes an update unless it is said that it is one of several.
static_assert(weir::detail::PipelineRun{}.is_update && weir::detail::PipelineRun{}.flush == 0);
