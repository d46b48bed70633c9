#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/rational.hpp"

namespace weir::inline v1 {

/// How much of the time of a stage's reduction and update is hidden behind the computation. Units: seconds.
struct HiddenReduce {
  std::size_t stage = 0;
  double measured = 0;
  double slack = 0;  // that there is without making a run longer

  double excess() const { return measured > slack ? measured - slack : 0; }
  /// "stage 2: an update takes 3.000 ms, of which 2.000 ms are hidden: 1.000 ms too long".
  std::string text() const {
    auto const milliseconds = [](double seconds) {
      std::string text = std::to_string(seconds * 1e3);
      return text.substr(0, text.find('.') + 4) + " ms";
    };
    std::string const start =
        "stage " + std::to_string(stage) + ": an update takes " + milliseconds(measured) + ", ";
    if (excess() == 0) return start + "all of it hidden, as " + milliseconds(slack) + " would be";
    return start + "of which " + milliseconds(slack) + " are hidden: " + milliseconds(excess()) + " too long";
  }
};

/// Holds measured times against the slack of a schedule: `stages` and `measured` are by part of a pipeline
/// (`stage_of`, `take_update_times`), `slack` is by stage (`reduce_slack`), `seconds_per_unit` of its costs.
///
/// Errors: `ContractViolation` where the two differ in number, or for a stage that has no slack.
inline std::vector<HiddenReduce> hidden_reduces(std::span<std::size_t const> stages,
                                                std::span<double const> measured,
                                                std::span<Rational const> slack,
                                                double seconds_per_unit = 1.0) {
  if (stages.size() != measured.size())
    throw ContractViolation("hidden_reduces: " + std::to_string(measured.size()) + " times for " +
                            std::to_string(stages.size()) + " parts; one for each would be right");
  std::vector<HiddenReduce> reduces;
  for (std::size_t part = 0; part < stages.size(); ++part) {
    if (stages[part] >= slack.size())
      throw ContractViolation("hidden_reduces: part " + std::to_string(part) + " is of stage " +
                              std::to_string(stages[part]) + ", the slack of " +
                              std::to_string(slack.size()) + " stages is there");
    reduces.push_back({stages[part], measured[part], slack[stages[part]].value() * seconds_per_unit});
  }
  return reduces;
}

}  // namespace weir::inline v1
