#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/activations.hpp"
#include "weir/pipeline/check_cells.hpp"
#include "weir/pipeline/check_channels.hpp"
#include "weir/pipeline/check_sparse.hpp"
#include "weir/pipeline/edge_load.hpp"
#include "weir/pipeline/memory_limits.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/stage_bytes.hpp"
#include "weir/pipeline/table_run.hpp"
#include "weir/pipeline/update_counter.hpp"
#include "weir/pipeline/validation.hpp"
#include "weir/pipeline/weight_rule.hpp"
#include "weir/pipeline/weight_versions.hpp"

namespace weir::inline v1 {

struct ValidationOptions {
  std::uint32_t edge_capacity = unlimited_capacity;  ///< messages
  std::span<SkipEdge const> skip_edges = {};
  std::span<WeightRule const> weight_rules = {};  ///< declared, one for each stage; empty: not looked at
  MemoryLimits limits = {};
  std::span<StageBytes const> stage_bytes = {};  ///< one for each stage, for the limit in bytes
  Recompute recompute = Recompute::never;
  std::size_t most = 1000;  ///< violations that are kept; all are counted
};

namespace detail {

/// Workers that wait for each other, each for the next.
constexpr std::vector<BlockedWorker> find_cycle(TableView const& table, TableRun const& run) {
  std::uint32_t worker = 0;
  while (run.workers()[worker].blocked == Blocked::finished) ++worker;
  std::vector<std::uint8_t> is_seen(table.workers(), 0);
  for (; is_seen[worker] == 0; worker = run.workers()[worker].waits_for) is_seen[worker] = 1;
  std::vector<BlockedWorker> cycle;
  std::uint32_t const first = worker;
  do {
    TableRun::Worker const& blocked = run.workers()[worker];
    cycle.push_back({worker, run.operation_of(blocked), blocked.waits_for,
                     table.operations()[run.producer_of(blocked.message)],
                     blocked.blocked == Blocked::sending});
    worker = blocked.waits_for;
  } while (worker != first);
  return cycle;
}

constexpr void check_deadlock(TableView const& table, OperationIndex const& index,
                              ValidationOptions const& options, Validation& result) {
  TickCosts const no_time;
  TableRun const unbounded(table, index, no_time, unlimited_capacity, options.skip_edges);
  if (!unbounded.is_complete()) {
    result.add(ViolationCode::deadlock, find_cycle(table, unbounded));
  } else if (options.edge_capacity != unlimited_capacity) {
    TableRun const bounded(table, index, no_time, options.edge_capacity, options.skip_edges);
    if (!bounded.is_complete()) result.add(ViolationCode::capacity, find_cycle(table, bounded));
  }
}

/// The updates by which each stage's gradients are late if its forwards read the latest weights there are.
constexpr std::vector<std::uint32_t> possible_delays(TableView const& table) {
  UpdateCounter counter(table);
  std::vector<std::uint32_t> delays(table.stages(), 0);
  for (Operation const& operation : table.operations()) {
    std::uint32_t const updates = counter.updates(operation);
    if (is_forward(operation) && operation.period > updates + delays[operation.stage])
      delays[operation.stage] = operation.period - updates;
    counter.pass(operation);
  }
  return delays;
}

/// The first forward of each worker that needs weights which do not exist yet.
constexpr void check_versions(TableView const& table, Validation& result) {
  if (table.synchronous()) return;
  UpdateCounter counter(table);
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    bool is_reported = false;
    for (Operation const& operation : table.worker(worker)) {
      if (is_forward(operation) && !is_reported && counter.updates(operation) < operation.version) {
        is_reported = true;
        Violation violation{ViolationCode::version, ViolationKind::too_old, operation, {}, worker, worker};
        violation.expected = operation.version;
        violation.found = counter.updates(operation);
        violation.right = possible_delays(table)[operation.stage];
        result.add(violation);
      }
      counter.pass(operation);
    }
  }
}

constexpr void check_weight_rules(TableView const& table, OperationIndex const& index,
                                  std::span<WeightRule const> rules, Validation& result) {
  if (rules.empty()) return;
  if (rules.size() != table.stages())
    throw ContractViolation("validate: one WeightRule for each stage, or none, would be right");
  std::vector<StageVersions> const versions = weight_versions(table);
  for (std::uint32_t stage = 0; stage < table.stages(); ++stage) {
    Violation violation{ViolationCode::version, ViolationKind::late};
    violation.cell.stage = static_cast<std::uint16_t>(stage);
    violation.worker = index.worker_of(Direction::forward, stage);
    violation.expected = rules[stage].delay;
    violation.found = versions[stage].delay;
    if (violation.found > violation.expected) result.add(violation);
    violation.kind = ViolationKind::too_many_versions;
    violation.expected = rules[stage].versions;
    violation.found = versions[stage].live;
    if (violation.found > violation.expected) result.add(violation);
  }
}

constexpr std::vector<std::uint64_t> versions_per_worker(TableView const& table,
                                                         OperationIndex const& index) {
  std::vector<StageVersions> const versions = weight_versions(table);
  std::vector<std::uint64_t> sums(table.workers(), 0);
  for (std::uint32_t stage = 0; stage < table.stages(); ++stage) {
    for (std::uint32_t plane = 0; plane < index.directions(); ++plane) {
      std::uint32_t const worker = index.worker_of(static_cast<Direction>(plane), stage);
      if (worker != OperationIndex::none) sums[worker] += versions[stage].live;
    }
  }
  return sums;
}

constexpr void check_memory(TableView const& table, OperationIndex const& index,
                            ValidationOptions const& options, Validation& result) {
  auto const check = [&result](ViolationKind kind, auto const& held, std::uint64_t limit) {
    for (std::size_t worker = 0; worker < held.size(); ++worker) {
      if (held[worker] > limit) {
        result.add({ViolationCode::memory,
                    kind,
                    {},
                    {},
                    static_cast<std::uint32_t>(worker),
                    static_cast<std::uint32_t>(worker),
                    limit,
                    held[worker]});
      }
    }
  };
  MemoryLimits const& limits = options.limits;
  if (limits.activations != UINT64_MAX)
    check(ViolationKind::activations, peak_activations(table), limits.activations);
  if (limits.weight_versions != UINT64_MAX)
    check(ViolationKind::weight_versions, versions_per_worker(table, index), limits.weight_versions);
  if (limits.bytes != UINT64_MAX)
    check(ViolationKind::bytes, peak_bytes(table, options.stage_bytes, options.recompute), limits.bytes);
  if (limits.messages == UINT64_MAX || result.has(ViolationCode::deadlock)) return;
  TickCosts unit;
  unit.stages.assign(table.stages(), {1, 1, 1});
  TableRun const run(table, index, unit, unlimited_capacity, options.skip_edges);
  for (EdgeLoad const& load : edge_loads(table, index, run.start(), run.end(), options.skip_edges)) {
    if (load.peak > limits.messages) {
      result.add({ViolationCode::memory,
                  ViolationKind::messages,
                  {},
                  {},
                  load.from,
                  load.to,
                  limits.messages,
                  load.peak});
    }
  }
}

}  // namespace detail

/// Whether a table can be executed, and everything that speaks against it. The rules are those of
/// `ViolationCode`; where one of the first five is broken, the others are not looked at.
///
/// Usable in constant expressions: `static_assert(validate(table<OneFOneB, 4, 8>()))`.
/// Cost: linear in the operations; 32 bytes for each, 12 for each stage and micro-batch.
/// Errors: ContractViolation for a full table of more than 2^26 cells, and for lists of another length
/// than there are stages.
/// What is wrong with the table is never one.
constexpr Validation validate(TableView const& table, ValidationOptions const& options = {}) {
  Validation result(options.most);
  std::uint64_t const cells = std::uint64_t{table.stages()} * table.micro_batches();
  if (cells > OperationIndex::most_cells / 2 && table.operations().size() < cells) {
    detail::check_sparse(table, result);
    return result;
  }
  OperationIndex const index(table);
  detail::CellCheck(table, index, options.skip_edges, result).run();
  detail::ChannelCheck(table, index, result).run();
  if (!result) return result;
  detail::check_deadlock(table, index, options, result);
  detail::check_versions(table, result);
  detail::check_weight_rules(table, index, options.weight_rules, result);
  if (!table.synchronous() && (table.period() == 0 || table.micro_batches() % table.period() != 0)) {
    result.add({ViolationCode::period,
                ViolationKind::partial_period,
                {},
                {},
                0,
                0,
                table.period(),
                table.micro_batches()});
  }
  detail::check_memory(table, index, options, result);
  return result;
}

}  // namespace weir::inline v1
