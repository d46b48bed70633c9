#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_program.hpp"

namespace weir::inline v1::detail {

/// Weights of a pipeline that are updated together: those of a stage, or a parameter that stages share.
struct WeightPart {
  struct Parameter {
    std::size_t elements = 0;
    std::vector<StageParameter> places = {};  // by stage
  };

  std::uint16_t link = 0;  // 0: a stage's own; k: tied parameter k - 1
  std::vector<Parameter> parameters = {};
  std::vector<std::uint32_t> stages = {};  // ascending
  std::vector<std::uint32_t> lanes = {};   // that add to the gradient, in the order in which it is summed

  std::size_t elements() const {
    std::size_t sum = 0;
    for (Parameter const& parameter : parameters) sum += parameter.elements;
    return sum;
  }
};

/// Null: it is the stage's own.
inline TiedParameter const* find_tied(PipelineOptions const& options, std::size_t stage,
                                      std::size_t parameter) {
  for (TiedParameter const& tied : options.tied) {
    for (StageParameter const& member : tied) {
      if (member.stage == stage && member.parameter == parameter) return &tied;
    }
  }
  return nullptr;
}

[[noreturn]] inline void refuse_tied(std::string const& text) {
  throw ContractViolation("a tied parameter " + text);
}

/// Errors: `ContractViolation` where it is not the same in all its stages.
inline WeightPart tied_part(PipelineOptions const& options, std::size_t number) {
  TiedParameter const& tied = options.tied[number];
  if (tied.size() < 2) refuse_tied("is one of two stages or more");
  WeightPart part{.link = static_cast<std::uint16_t>(number + 1), .parameters = {{}}};
  auto& [elements, places] = part.parameters[0];
  for (StageParameter const& place : tied) {
    auto const& [stage, parameter] = place;
    if (stage >= options.stages.size() || options.stages[stage].is_empty ||
        parameter >= options.stages[stage].parameters.size())
      refuse_tied("of stage " + std::to_string(stage) + " and number " + std::to_string(parameter) +
                  " is none that a stage layout has");
    if (!places.empty() && places.back().stage >= stage) refuse_tied("names its stages in ascending order");
    std::size_t const here = options.stages[stage].parameters[parameter];
    if (!places.empty() && here != elements)
      refuse_tied("has " + std::to_string(elements) + " elements in one stage and " + std::to_string(here) +
                  " in stage " + std::to_string(stage));
    elements = here;
    places.push_back(place);
    part.stages.push_back(static_cast<std::uint32_t>(stage));
  }
  return part;
}

/// The parts of all weights: of the stages that have parameters of their own, then the tied ones. Errors:
/// `ContractViolation` for a tied parameter that does not fit.
inline std::vector<WeightPart> weight_parts(LaneMap const& lanes, PipelineOptions const& options) {
  std::vector<WeightPart> parts;
  auto const add = [&](WeightPart part) {
    for (std::uint32_t const stage : part.stages) {
      for (std::uint32_t direction = 0; direction < lanes.directions(); ++direction) {
        std::uint32_t const lane = lanes.lane(direction, stage);
        if (lanes.has(lane)) part.lanes.push_back(lane);
      }
    }
    parts.push_back(std::move(part));
  };
  for (std::uint32_t stage = 0; stage < lanes.stages(); ++stage) {
    if (options.stages[stage].is_empty) continue;
    WeightPart part{.stages = {stage}};
    auto const& parameters = options.stages[stage].parameters;
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      if (find_tied(options, stage, p) == nullptr) part.parameters.push_back({parameters[p], {{stage, p}}});
    }
    if (!part.parameters.empty()) add(std::move(part));
  }
  for (std::size_t number = 0; number < options.tied.size(); ++number) add(tied_part(options, number));
  return parts;
}

}  // namespace weir::inline v1::detail
