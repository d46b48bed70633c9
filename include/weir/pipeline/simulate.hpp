#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/rational.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/simulation_costs.hpp"
#include "weir/pipeline/table_run.hpp"

namespace weir::inline v1 {

struct SimulationOptions {
  std::uint32_t edge_capacity = unlimited_capacity;  ///< messages; on a limited one sends wait for room
  std::span<SkipEdge const> skip_edges = {};
};

/// When everything happens in a table. Times are whole numbers of ticks, and exact.
class Simulation {
 public:
  Simulation(TableView const& table, detail::TableRun const& run, std::int64_t ticks_per_unit)
      : ticks_per_unit_(ticks_per_unit), start_(run.start()), end_(run.end()) {
    workers_.reserve(table.workers());
    for (detail::TableRun::Worker const& worker : run.workers()) {
      workers_.push_back({worker.busy, worker.first_start, worker.last_end});
      if (worker.last_end > makespan_) makespan_ = worker.last_end;
    }
  }

  std::int64_t ticks_per_unit() const { return ticks_per_unit_; }
  /// Units: ticks, of each operation of the table.
  std::span<std::int64_t const> start_ticks() const { return start_; }
  std::span<std::int64_t const> end_ticks() const { return end_; }

  Rational start(std::size_t operation) const { return time(start_[operation]); }
  Rational end(std::size_t operation) const { return time(end_[operation]); }
  Rational makespan() const { return time(makespan_); }
  Rational busy(std::size_t worker) const { return time(workers_[worker].busy); }
  /// Until the end of the run.
  Rational idle(std::size_t worker) const { return time(makespan_ - workers_[worker].busy); }
  /// Between a worker's first and last operation.
  Rational span_idle(std::size_t worker) const {
    Worker const& w = workers_[worker];
    return w.first_start < 0 ? Rational{} : time(w.last_end - w.first_start - w.busy);
  }
  /// The idle share of all workers' time.
  Rational bubble_ratio() const {
    Rational idle_sum;
    for (std::size_t worker = 0; worker < workers_.size(); ++worker) idle_sum += idle(worker);
    if (makespan_ == 0) return {};
    return idle_sum / (makespan() * Rational(static_cast<std::int64_t>(workers_.size())));
  }
  /// Idle over busy time: the bubble as others quote it, (p - 1) / m for 1F1B.
  Rational bubble_over_ideal() const {
    Rational idle_sum;
    Rational busy_sum;
    for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
      idle_sum += idle(worker);
      busy_sum += busy(worker);
    }
    return busy_sum == Rational{} ? Rational{} : idle_sum / busy_sum;
  }

 private:
  struct Worker {
    std::int64_t busy;
    std::int64_t first_start;
    std::int64_t last_end;
  };
  Rational time(std::int64_t ticks) const { return {ticks, ticks_per_unit_}; }

  std::int64_t ticks_per_unit_;
  std::int64_t makespan_ = 0;
  std::vector<Worker> workers_;
  std::vector<std::int64_t> start_;
  std::vector<std::int64_t> end_;
};

namespace detail {

/// How many stages of a direction each worker has.
inline std::vector<std::int64_t> stages_per_worker(TableView const& table, OperationIndex const& index,
                                                   Direction direction) {
  std::vector<std::int64_t> count(table.workers(), 0);
  for (std::uint32_t stage = 0; stage < table.stages(); ++stage) {
    std::uint32_t const worker = index.worker_of(direction, stage);
    if (worker != OperationIndex::none) ++count[worker];
  }
  return count;
}

/// The cost of each stage, of one direction after the other.
inline std::vector<StageCost> costs_of_stages(TableView const& table, OperationIndex const& index,
                                              SimulationCosts const& costs) {
  if (!costs.stages.empty() && costs.stages.size() != table.stages())
    throw ContractViolation("simulate: costs of " + std::to_string(costs.stages.size()) +
                            " stages for a table of " + std::to_string(table.stages()) +
                            "; as many, or none, would be right");
  std::vector<StageCost> result;
  for (std::uint32_t plane = 0; plane < index.directions(); ++plane) {
    Direction const direction = static_cast<Direction>(plane);
    std::vector<std::int64_t> const count = stages_per_worker(table, index, direction);
    for (std::uint32_t stage = 0; stage < table.stages(); ++stage) {
      if (!costs.stages.empty()) {
        result.push_back(costs.stages[stage]);
        continue;
      }
      std::uint32_t const worker = index.worker_of(direction, stage);
      Rational const share(1, worker == OperationIndex::none ? 1 : count[worker]);
      result.push_back({costs.worker.forward * share, costs.worker.backward_input * share,
                        costs.worker.backward_weight * share});
    }
  }
  return result;
}

/// The least common multiple of denominators.
class CommonDenominator {
 public:
  void add(Rational const& number) {
    if (number < Rational{})
      throw ContractViolation("simulate: a cost of " + text(number) + "; 0 or more would be right");
    // d / gcd(d, value) more are needed; their product may not fit.
    value_ = (Rational(value_) * Rational(Rational(value_, number.denominator()).denominator())).numerator();
  }
  std::int64_t value() const { return value_; }
  std::int64_t ticks(Rational const& number) const { return (number * Rational(value_)).numerator(); }

 private:
  std::int64_t value_ = 1;
};

struct ScaledCosts {
  TickCosts ticks = {};
  std::int64_t ticks_per_unit = 1;
};

inline ScaledCosts scaled(TableView const& table, OperationIndex const& index, SimulationCosts const& costs) {
  if (!costs.reduce.empty() && costs.reduce.size() != table.stages())
    throw ContractViolation("simulate: times to reduce " + std::to_string(costs.reduce.size()) +
                            " stages for a table of " + std::to_string(table.stages()) +
                            "; as many, or none, would be right");
  std::vector<StageCost> const stages = costs_of_stages(table, index, costs);
  CommonDenominator denominator;
  denominator.add(costs.latency);
  for (StageCost const& stage : stages) {
    denominator.add(stage.forward);
    denominator.add(stage.backward_input);
    denominator.add(stage.backward_weight);
  }
  denominator.add(Rational(1, denominator.value()) * costs.pair);  // which is a share of sums of these
  for (Rational const& reduce : costs.reduce) denominator.add(reduce);
  ScaledCosts result;
  result.ticks_per_unit = denominator.value();
  result.ticks.latency = denominator.ticks(costs.latency);
  result.ticks.directions = index.directions();
  result.ticks.pair_numerator = costs.pair.numerator();
  result.ticks.pair_denominator = costs.pair.denominator();
  for (StageCost const& stage : stages) {
    result.ticks.stages.push_back({denominator.ticks(stage.forward), denominator.ticks(stage.backward_input),
                                   denominator.ticks(stage.backward_weight)});
  }
  for (Rational const& reduce : costs.reduce) result.ticks.reduce.push_back(denominator.ticks(reduce));
  return result;
}

}  // namespace detail

/// Runs a valid table with the given costs.
///
/// Cost: linear in the operations, about 50 nanoseconds for each; 48 bytes for each.
/// Errors: ContractViolation for a table that deadlocks or lacks messages, for negative costs, for lists of
/// another length than there are stages, and if times do not fit in 64 bits.
inline Simulation simulate(TableView const& table, SimulationCosts const& costs = {},
                           SimulationOptions const& options = {}) {
  OperationIndex const index(table);
  detail::ScaledCosts const scaled = detail::scaled(table, index, costs);
  detail::TableRun const run(table, index, scaled.ticks, options.edge_capacity, options.skip_edges);
  if (!run.is_complete())
    throw ContractViolation(
        "simulate: the table comes to no end; one that validate() accepts would be right");
  return Simulation(table, run, scaled.ticks_per_unit);
}

}  // namespace weir::inline v1
