#pragma once

#include <string>

#include "weir/plan/plan.hpp"
#include "weir/plan/profile.hpp"

namespace weir_plan {

/// A plan and what its replay says. Units: seconds.
struct Answer {
  weir::Plan plan = {};
  bool is_simulated = false;
  double simulated_seconds_per_step = 0;  // of a feasible plan
};

std::string text_report(Answer const& answer);
std::string json_report(Answer const& answer);

/// The points of a profile.
std::string text_report(weir::Profile const& profile);

}  // namespace weir_plan
