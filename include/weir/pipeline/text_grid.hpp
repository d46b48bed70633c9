#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/timeline.hpp"

namespace weir::inline v1 {

/// The timeline as lines of text, one per worker, in steps of the greatest common divisor of all times: an
/// operation stands where it begins, `=` where it goes on, `.` where the worker is idle. Of a pair the
/// forward stands there.
///
/// Cost: one cell per worker and step; with costs that have little in common these are many.
inline std::string text_grid(Timeline const& timeline) {
  std::int64_t step = 0;
  auto const divide = [&step](std::int64_t ticks) {
    while (ticks != 0) {
      std::int64_t const rest = step % ticks;
      step = ticks;
      ticks = rest;
    }
  };
  for (std::int64_t const ticks : timeline.start) divide(ticks);
  for (std::int64_t const ticks : timeline.end) divide(ticks);
  if (step == 0) return {};
  std::size_t const steps = static_cast<std::size_t>(timeline.makespan_ticks() / step);
  std::size_t widest = 1;
  for (Operation const& operation : timeline.table.operations()) {
    std::size_t const width = cell_text(operation).size();
    if (width > widest) widest = width;
  }
  std::string text;
  for (std::uint32_t worker = 0; worker < timeline.table.workers(); ++worker) {
    std::vector<std::string> cells(steps, ".");
    std::size_t position = timeline.table.begin_of(worker);
    for (Operation const& operation : timeline.table.worker(worker)) {
      std::size_t const begin = static_cast<std::size_t>(timeline.start[position] / step);
      std::size_t const end = static_cast<std::size_t>(timeline.end[position] / step);
      bool const is_shown = !detail::is_second_of_pair(timeline.table.operations(), position++);
      for (std::size_t i = begin; is_shown && i < end; ++i)
        cells[i] = i == begin ? cell_text(operation) : "=";
    }
    std::string line = std::to_string(worker) + " |";
    for (std::string const& cell : cells) line += ' ' + cell + std::string(widest - cell.size(), ' ');
    while (line.back() == ' ') line.pop_back();
    text += line + '\n';
  }
  return text;
}

}  // namespace weir::inline v1
