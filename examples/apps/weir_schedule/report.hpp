#pragma once

#include <string>

#include "options.hpp"
#include "run.hpp"

namespace weir_schedule {

/// Each either as a table or as one JSON object.
std::string report_names(bool json);
std::string report(Verdict const& verdict, bool json);
std::string report(weir::Partition const& partition, PartitionRequest const& request, bool json);

}  // namespace weir_schedule
