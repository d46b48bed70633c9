#pragma once

#include "report.hpp"

namespace weir_train {

struct Run;

/// Trains the ranks in this process as pipelines, and writes trace and timeline.
Outcome train_pipelines(Run const& run);

/// The same of the one rank in this process. Defined where this program is built with MPI.
Outcome train_pipeline_process(Run const& run);

}  // namespace weir_train
