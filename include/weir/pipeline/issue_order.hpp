#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/pipeline/edge_load.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/skip_edge.hpp"

namespace weir::inline v1 {

/// An order in which one thread can give the operations of all workers to their streams: each behind what it
/// needs, and those of a worker in the order of the table. It is that in which they would begin if F, I and W
/// took equally long, so that no stream is given much more than another.
///
/// Cost: that of a simulation, and the number of workers for each operation.
/// Errors: those of `simulate`.
class IssueOrder {
 public:
  /// An operation, or the two of a pair.
  struct Entry {
    std::uint32_t worker = 0;
    std::uint32_t first = 0;  ///< among the operations of the worker
    std::uint32_t count = 1;
    std::int64_t end = 0;  ///< in the simulation
  };

  IssueOrder() = default;
  explicit IssueOrder(TableView const& table, std::span<SkipEdge const> skips = {}) {
    Simulation const simulation = simulate(table, {}, {.skip_edges = skips});
    std::vector<std::uint32_t> next(table.workers(), 0);
    std::vector<std::int64_t> place(table.operations().size(), 0);
    for (std::size_t issued = 0; issued < table.operations().size();) {
      Entry entry{.worker = first_of(table, simulation, next)};
      entry.first = next[entry.worker];
      auto const operations = table.worker(entry.worker);
      bool const is_pair =
          operations[entry.first].kind == OperationKind::pair && entry.first + 1 < operations.size();
      entry.count = is_pair ? 2 : 1;
      entry.end = simulation.end_ticks()[table.begin_of(entry.worker) + entry.first];
      for (std::uint32_t k = 0; k < entry.count; ++k)
        place[table.begin_of(entry.worker) + entry.first + k] = static_cast<std::int64_t>(entries_.size());
      next[entry.worker] += entry.count;
      issued += entry.count;
      entries_.push_back(entry);
    }
    for (EdgeLoad const& load : edge_loads(table, OperationIndex(table), place, place, skips)) {
      if (load.peak > load_) load_ = static_cast<std::uint32_t>(load.peak);
    }
  }

  std::vector<Entry> const& entries() const { return entries_; }
  /// The most messages that are on an edge at a time.
  std::uint32_t load() const { return load_; }

 private:
  /// The worker whose next operation begins first.
  static std::uint32_t first_of(TableView const& table, Simulation const& simulation,
                                std::vector<std::uint32_t> const& next) {
    std::uint32_t first = 0;
    std::int64_t earliest = INT64_MAX;
    for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
      if (next[worker] == table.worker(worker).size()) continue;
      std::int64_t const start = simulation.start_ticks()[table.begin_of(worker) + next[worker]];
      if (start >= earliest) continue;
      earliest = start;
      first = worker;
    }
    return first;
  }

  std::vector<Entry> entries_;
  std::uint32_t load_ = 0;
};

}  // namespace weir::inline v1
