#pragma once

#include "configuration.hpp"
#include "dataset.hpp"
#include "report.hpp"
#include "weir/state/archive.hpp"

namespace weir_train {

/// The data of a configuration. Errors: `RunError` that names the file; `UsageError` if the configuration does not
/// fit them.
Dataset load_data(Configuration const& configuration);

/// Trains all ranks of a configuration that are in this process, and writes the files that rank 0 was asked for.
/// Errors: `RunError`, `UsageError`, and those of the library.
Outcome run(Configuration const& configuration, Dataset const& data, weir::Archive const* checkpoint);

}  // namespace weir_train
