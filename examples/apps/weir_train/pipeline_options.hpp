#pragma once

#include "arguments.hpp"
#include "configuration.hpp"

namespace weir_train {

void declare_pipeline(Arguments& a, char const* group);

/// Reads `--pipeline` and what belongs to it, when the rest of the configuration is known.
/// Errors: `UsageError`, for a schedule that does not exist too, with the nearest that does.
void parse_pipeline(Arguments const& a, Configuration& c);

}  // namespace weir_train
