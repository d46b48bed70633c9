#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/update_counter.hpp"
#include "weir/pipeline/weight_rule.hpp"

namespace weir::inline v1 {

namespace detail {

constexpr void set_periods(ScheduleTable& table, std::uint32_t period) {
  if (period == 0)
    throw ContractViolation("apply_weight_rule: a period of 0 micro-batches; one or more would be right");
  table.properties().synchronous = false;
  table.properties().period = period;
  for (Operation& operation : table.operations()) operation.period = operation.micro_batch / period;
}

}  // namespace detail

/// Makes a table one without a flush, with an update after every period: `rule_of(stage)` is the WeightRule
/// of a stage.
template <class RuleOf>
constexpr void apply_weight_rule(ScheduleTable& table, std::uint32_t period, RuleOf const& rule_of) {
  detail::set_periods(table, period);
  for (Operation& operation : table.operations()) {
    operation.version = WeightRule(rule_of(std::uint32_t{operation.stage})).version(operation.period);
  }
}

/// The same where a micro-batch reads the latest weights that there are at its forward, as in PipeDream.
constexpr void apply_latest_weights(ScheduleTable& table, std::uint32_t period) {
  detail::set_periods(table, period);
  TableProperties const& properties = table.properties();
  for (Operation& operation : table.operations()) operation.version = 0;
  UpdateCounter counter(table);
  std::vector<std::uint32_t> version_of(std::size_t{2} * properties.stages * properties.micro_batches, 0);
  auto const place = [&](Operation const& operation) -> std::uint32_t& {
    std::size_t const lane = operation.stage * std::size_t{2} + static_cast<std::size_t>(operation.direction);
    return version_of[lane * properties.micro_batches + operation.micro_batch];
  };
  for (Operation const& operation : table.operations()) {
    if (is_forward(operation)) place(operation) = counter.updates(operation);
    counter.pass(operation);
  }
  for (Operation& operation : table.operations()) operation.version = place(operation);
}

}  // namespace weir::inline v1
