#pragma once

#include <exception>
#include <functional>
#include <span>

#include "configuration.hpp"
#include "dataset.hpp"
#include "report.hpp"
#include "weir/state/archive.hpp"

namespace weir_train {

/// The data of a configuration. Errors: `RunError` that names the file; `UsageError` if the configuration
/// does not fit them.
Dataset load_data(Configuration const& configuration);

/// Trains the ranks of a configuration that are in this process, and writes its trace and timeline on rank 0.
/// `failed` is called on a failure that other processes may not share, before it is thrown.
/// Errors: `RunError`, `UsageError`, and those of the library.
Outcome run(Configuration const& configuration, Dataset const& data,
            std::span<weir::Archive const> checkpoints,
            std::function<void(std::exception const&)> const& failed);

}  // namespace weir_train
