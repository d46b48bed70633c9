#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "check_line.hpp"
#include "weir/pipeline/activations.hpp"
#include "weir/pipeline/compute_only.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/grid_csv.hpp"
#include "weir/pipeline/long_csv.hpp"
#include "weir/pipeline/schedule_svg.hpp"
#include "weir/pipeline/schedule_trace.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/timeline.hpp"
#include "weir/pipeline/validate.hpp"
#include "weir/pipeline/weight_versions.hpp"

namespace weir_test {

enum class TableForm { grid, one_operation_per_line };

/// Puts a table through what weir-schedule does with one. Returns whether it is valid.
inline bool judge(weir::TableView const& table) {
  weir::Validation const validation = weir::validate(table, {.most = 100});
  if (validation.text(100).empty() != bool(validation)) std::abort();
  if (!validation) return false;
  weir::ScheduleTable const computed = weir::compute_only(table);
  weir::Simulation const simulation = weir::simulate(computed);
  weir::Timeline const timeline = weir::timeline(computed, simulation);
  std::size_t const results = weir::peak_activations(computed).size() +
                              weir::weight_versions(computed).size() + weir::min_edge_capacity(computed) +
                              weir::schedule_trace(timeline).size() + weir::schedule_svg(timeline).size() +
                              weir::long_csv(timeline).size();
  if (results == 0 || !(simulation.makespan() > weir::Rational(0))) std::abort();
  return true;
}

/// Any text is either refused with a TableFileError of one short line, or is a table that is valid or not,
/// and that comes back when it is written and read again. Returns what is wrong; empty: nothing.
inline std::string refusal(std::string_view text, TableForm form) {
  // Checking takes memory for each stage and micro-batch that a few characters can ask for.
  constexpr std::uint64_t most_cells = 1 << 14;
  try {
    bool const is_grid = form == TableForm::grid;
    weir::ScheduleTable const table = is_grid ? weir::read_grid_csv(text) : weir::read_long_csv(text);
    weir::TableProperties const& size = table.properties();
    if (!is_grid && !(weir::read_long_csv(weir::long_csv(table)) == table)) std::abort();
    if (std::uint64_t{size.stages} * size.micro_batches > most_cells || size.workers > most_cells) return {};
    bool const is_valid = judge(table);
    if (is_grid && is_valid && !(weir::read_grid_csv(weir::grid_csv(table)) == weir::compute_only(table)))
      std::abort();
    return is_valid ? std::string() : "invalid";
  } catch (weir::TableFileError const& error) {
    return checked_line(error.what(), 300);
  }
}

}  // namespace weir_test
