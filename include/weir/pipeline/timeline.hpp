#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/core/error.hpp"
#include "weir/pipeline/rational.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/simulate.hpp"

namespace weir::inline v1 {

/// When the operations of a table began and ended: planned by a simulation, or measured.
struct Timeline {
  TableView table;
  std::span<std::int64_t const> start;  ///< ticks, of each operation of the table
  std::span<std::int64_t const> end;
  std::int64_t ticks_per_unit =
      1;  ///< for a measured one in nanoseconds 1,000,000: the unit is a millisecond

  Rational time(std::int64_t ticks) const { return {ticks, ticks_per_unit}; }

  std::int64_t makespan_ticks() const {
    std::int64_t last = 0;
    for (std::int64_t const each : end) last = each > last ? each : last;
    return last;
  }
};

/// Of a simulated table. It and the simulation have to stay.
inline Timeline timeline(TableView const& table, Simulation const& simulation) {
  if (simulation.start_ticks().size() != table.operations().size())
    throw ContractViolation("timeline: the simulation is one of another table");
  return {table, simulation.start_ticks(), simulation.end_ticks(), simulation.ticks_per_unit()};
}

namespace detail {

/// Whether an operation is a pair's second, so that the two are drawn as one.
inline bool is_second_of_pair(std::span<Operation const> operations, std::size_t position) {
  return position > 0 && operations[position - 1].kind == OperationKind::pair;
}

}  // namespace detail

}  // namespace weir::inline v1
