#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_shape.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/weight_rule.hpp"

namespace weir::inline v1 {

namespace detail {

/// What a schedule emits to: anything that takes an operation.
struct OperationSink {
  constexpr void operator()(Operation const&) const {}
};

}  // namespace detail

/// A rule that fills tables: a type with static members only. All but `default_period` are given a completed
/// shape. `emit` calls the sink with the operations of one worker, in order, each with its version and
/// period.
template <class Type>
concept Schedule = requires(ScheduleShape const& shape, std::uint32_t number, Direction direction,
                            detail::OperationSink const& sink) {
  { Type::traits } -> std::convertible_to<ScheduleTraits>;
  { Type::default_period(number) } -> std::same_as<std::uint32_t>;  // of so many workers
  { Type::stages(number, number) } -> std::same_as<std::uint32_t>;  // of so many workers and chunks
  { Type::worker_of(shape, number, direction) } -> std::same_as<std::uint32_t>;
  { Type::weight_rule(shape, number) } -> std::same_as<WeightRule>;  // of a stage
  { Type::check(shape) } -> std::same_as<ShapeRefusal>;
  Type::emit(number, shape, sink);
};

namespace detail {

/// Gives operations their version and period.
template <class Type, class Sink>
class Emitter {
 public:
  constexpr Emitter(ScheduleShape const& shape, Sink& sink) : shape_(shape), sink_(sink) {}

  constexpr void operator()(OperationKind kind, std::uint32_t stage, std::uint32_t micro_batch,
                            Direction direction = Direction::forward) {
    Operation operation{kind, direction, static_cast<std::uint16_t>(stage), micro_batch};
    if (!Type::traits.synchronous) {
      operation.period = micro_batch / shape_.period;
      operation.version = Type::weight_rule(shape_, stage).version(operation.period);
    }
    sink_(operation);
  }
  constexpr void forward(std::uint32_t stage, std::uint32_t micro_batch,
                         Direction direction = Direction::forward) {
    (*this)(OperationKind::forward, stage, micro_batch, direction);
  }
  constexpr void backward(std::uint32_t stage, std::uint32_t micro_batch,
                          Direction direction = Direction::forward) {
    (*this)(OperationKind::backward, stage, micro_batch, direction);
  }

 private:
  ScheduleShape const& shape_;
  Sink& sink_;
};

}  // namespace detail

/// The shape with the schedule's defaults.
template <Schedule Type>
constexpr ScheduleShape completed(ScheduleShape const& shape) {
  return completed(Type::traits, shape, Type::default_period(shape.workers));
}

/// Whether there is such a schedule; if not, which rule it breaks.
template <Schedule Type>
constexpr ShapeRefusal refusal(ScheduleShape const& shape) {
  ScheduleShape const full = completed<Type>(shape);
  if (ShapeRefusal const common = check_shape(Type::traits, full)) return common;
  return Type::check(full);
}

template <Schedule Type>
constexpr TableProperties table_properties(ScheduleShape const& shape) {
  ScheduleShape const full = completed<Type>(shape);
  return {full.workers, Type::stages(full.workers, full.chunks), full.micro_batches, full.period,
          Type::traits.synchronous};
}

/// The table of a schedule.
///
/// Errors: ContractViolation for a shape that the schedule does not have, naming the rule and the nearest
/// shape.
template <Schedule Type>
constexpr ScheduleTable make_table(ScheduleShape const& shape) {
  if (ShapeRefusal const refused = refusal<Type>(shape))
    throw ContractViolation(text(refused, Type::traits.name));
  ScheduleShape const full = completed<Type>(shape);
  ScheduleTable table(table_properties<Type>(full));
  auto const sink = [&table](Operation const& operation) { table.add(operation); };
  for (std::uint32_t worker = 0; worker < full.workers; ++worker) {
    table.next_worker();
    Type::emit(worker, full, sink);
  }
  return table;
}

namespace detail {

template <Schedule Type>
constexpr std::size_t operation_count(ScheduleShape const& shape) {
  std::size_t count = 0;
  auto const sink = [&count](Operation const&) { ++count; };
  for (std::uint32_t worker = 0; worker < shape.workers; ++worker) Type::emit(worker, shape, sink);
  return count;
}

}  // namespace detail

/// The table as a constant: `constexpr auto t = table<OneFOneB, ScheduleShape{.workers = 4, .micro_batches =
/// 8}>();`
template <Schedule Type, ScheduleShape shape>
constexpr auto table() {
  static_assert(!refusal<Type>(shape),
                "the schedule does not have this shape: refusal<Type>(shape) says why");
  constexpr ScheduleShape full = completed<Type>(shape);
  StaticScheduleTable<full.workers, detail::operation_count<Type>(full)> result{table_properties<Type>(full)};
  std::size_t position = 0;
  auto const sink = [&](Operation const& operation) { result.operations[position++] = operation; };
  for (std::uint32_t worker = 0; worker < full.workers; ++worker) {
    Type::emit(worker, full, sink);
    result.begins[worker + std::size_t{1}] = position;
  }
  return result;
}

/// The same for a number of workers and of micro-batches.
template <Schedule Type, std::uint32_t workers, std::uint32_t micro_batches, std::uint32_t chunks = 0>
constexpr auto table() {
  return table<Type, ScheduleShape{.workers = workers, .micro_batches = micro_batches, .chunks = chunks}>();
}

}  // namespace weir::inline v1
