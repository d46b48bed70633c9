#pragma once

#include <string>
#include <vector>

#include "describe.hpp"
#include "tables.hpp"
#include "weir/mask/feasibility.hpp"

namespace weir_design {

/// Each either as a table or as one JSON object.
std::string report(Description const& description, bool json);
std::string report(weir::Feasibility const& feasibility, bool json);
std::string report(std::vector<MlpRow> const& rows, bool json);
std::string report(std::vector<ResNetRow> const& rows, bool json);

}  // namespace weir_design
