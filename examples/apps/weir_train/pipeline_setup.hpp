#pragma once

#include <cstddef>
#include <string>

#include "weir/pipeline/schedule_catalog.hpp"

namespace weir_train {

/// How a model is cut and run as a pipeline.
struct PipelineSetup {
  weir::NamedSchedule const* schedule = nullptr;  // of the catalog
  std::size_t workers = 1;
  std::size_t chunks = 0;  // 0: the schedule's default
  std::size_t run = 0;     // micro-batches from one drain to the next where there is no flush; 0: an epoch

  /// The shape of a table for so many micro-batches, of which so many make an update.
  weir::ScheduleShape shape(std::size_t micro_batches, std::size_t period) const {
    return {.workers = static_cast<std::uint32_t>(workers),
            .micro_batches = static_cast<std::uint32_t>(micro_batches),
            .chunks = static_cast<std::uint32_t>(chunks),
            .period = schedule->traits.synchronous ? 0 : static_cast<std::uint32_t>(period)};
  }
};

/// ", wpipe over 2 workers"
inline std::string text_of(PipelineSetup const& setup) {
  std::string text = std::string(", ") + setup.schedule->traits.name + " over " +
                     std::to_string(setup.workers) + (setup.workers == 1 ? " worker" : " workers");
  if (setup.chunks != 0) text += " x " + std::to_string(setup.chunks);
  return text;
}

}  // namespace weir_train
