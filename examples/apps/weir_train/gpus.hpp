#pragma once

#include "configuration.hpp"
#include "report.hpp"

namespace weir_train {

struct Run;

// Defined where this program is built with CUDA.

/// Sees to it that the ranks of this process have a GPU each. Errors: `RunError`.
void check_gpus(Configuration const& configuration);

/// Trains the ranks in this process, each on a GPU of its own.
Outcome train_on_gpus(Run const& run);

/// The same with sparsified gradients.
Outcome train_sparsified_on_gpus(Run const& run);

/// Trains them as pipelines, each of whose workers is a stream of its rank's GPU.
Outcome train_pipelines_on_gpus(Run const& run);

/// The same with sparsified gradients.
Outcome train_sparsified_pipelines_on_gpus(Run const& run);

}  // namespace weir_train
