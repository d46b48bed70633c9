#pragma once

#include <string>

#include "weir/plan/solve.hpp"
#include "weir/plan/time_model.hpp"

namespace weir_plan {

/// A drawing of the throughput over the global batch, up to that of `request`: planned, and with equal shares
/// for all devices.
std::string throughput_chart(weir::TimeModel const& model, weir::PlanRequest const& request);

}  // namespace weir_plan
