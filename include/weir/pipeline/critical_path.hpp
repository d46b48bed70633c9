#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/pipeline/dependencies.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/timeline.hpp"

namespace weir::inline v1 {

/// The operations, as positions in the table, that make a planned run as long as it is: each begins when the
/// one before it has ended, or its message has come, and the last one ends last. Of equals the worker's own,
/// and then the first.
///
/// For runs in which no send waited. Units: `latency` as in the simulation. Cost: linear in the operations.
inline std::vector<std::size_t> critical_path(Timeline const& timeline, Rational const& latency = 0) {
  TableView const& table = timeline.table;
  std::span<Operation const> const operations = table.operations();
  if (operations.empty()) return {};
  OperationIndex const index(table);
  std::int64_t const delay = (latency * Rational(timeline.ticks_per_unit)).numerator();
  std::size_t at = 0;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (timeline.end[i] > timeline.end[at]) at = i;
  }
  std::vector<std::size_t> path;
  for (;;) {
    std::uint32_t const worker = table.worker_at(at);
    // A pair stands for its forward; what it needs is needed by either part.
    if (at > table.begin_of(worker) && operations[at - 1].kind == OperationKind::pair) --at;
    path.push_back(at);
    std::size_t before = operations.size();
    if (at > table.begin_of(worker) && timeline.end[at - 1] == timeline.start[at]) before = at - 1;
    std::size_t const parts = operations[at].kind == OperationKind::pair ? 2 : 1;
    for (std::size_t part = 0; part < parts; ++part) {
      for_each_dependency(table, index, operations[at + part], [&](std::size_t needed) {
        bool const is_remote =
            needed < table.begin_of(worker) || needed >= table.begin_of(worker + std::size_t{1});
        if (before == operations.size() && is_remote && timeline.end[needed] + delay == timeline.start[at])
          before = needed;
      });
    }
    if (before == operations.size()) break;
    at = before;
  }
  for (std::size_t i = 0; i < path.size() / 2; ++i) std::swap(path[i], path[path.size() - 1 - i]);
  return path;
}

}  // namespace weir::inline v1
