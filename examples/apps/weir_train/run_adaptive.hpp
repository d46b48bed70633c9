#pragma once

#include "report.hpp"

namespace weir_train {

struct Run;

/// Trains the ranks in this process with a batch that adapts.
Outcome train_adaptively(Run const& run);

/// The same of the one rank in this process. Defined where this program is built with MPI.
Outcome train_process_adaptively(Run const& run);

}  // namespace weir_train
