#pragma once

#include "report.hpp"

namespace weir_train {

struct Run;

/// Trains the ranks in this process as pipelines, and writes trace, timeline and checkpoints.
Outcome train_pipelines(Run const& run);

/// The same with gradients that are sparsified between ranks, in a file of its own.
Outcome train_sparsified_pipelines(Run const& run);

/// The same two of the one rank in this process. Defined where this program is built with MPI.
Outcome train_pipeline_process(Run const& run);
Outcome train_sparsified_pipeline_process(Run const& run);

}  // namespace weir_train
