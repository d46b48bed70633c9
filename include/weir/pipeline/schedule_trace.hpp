#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/dependencies.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/rational.hpp"
#include "weir/pipeline/timeline.hpp"
#include "weir/trace/merge_sort.hpp"
#include "weir/trace/text.hpp"

namespace weir::inline v1 {

namespace detail {

/// "F", "I" and so on; of a pair both its parts.
inline std::string slot_kind(std::span<Operation const> operations, std::size_t position) {
  std::string kind = name_of(operations[position].kind);
  if (operations[position].kind != OperationKind::pair) return kind;
  return kind + "&" + name_of(operations[position + 1].kind);
}

/// As in a grid file.
inline std::string slot_text(std::span<Operation const> operations, std::size_t position) {
  std::string cell = cell_text(operations[position]);
  if (operations[position].kind != OperationKind::pair) return cell;
  return "(" + cell + ";" + cell_text(operations[position + 1]) + ")OVERLAP_F_B";
}

/// Writes a timeline as events for a viewer.
class TraceWriter {
 public:
  explicit TraceWriter(Timeline const& timeline)
      : timeline_(timeline), operations_(timeline.table.operations()) {}

  std::string write() {
    for (std::uint32_t worker = 0; worker < timeline_.table.workers(); ++worker) {
      begin_event("M", "thread_name", nullptr, worker) +=
          ",\"args\":{\"name\":\"worker " + std::to_string(worker) + "\"}}";
      write_operations(worker);
      write_activations(worker);
    }
    write_messages();
    return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[" + events_ + "\n]}\n";
  }

 private:
  static constexpr int digits = 6;  // behind the point

  /// A thousand times the time in units, in millionths, rounded down: so events that touch do not overlap.
  std::int64_t millionths(std::int64_t ticks) const {
    __extension__ typedef __int128 Wide;
    return static_cast<std::int64_t>(Wide{ticks} * 1'000'000'000 / timeline_.ticks_per_unit);
  }
  std::string stamp(std::int64_t ticks) const { return decimal(millionths(ticks), digits); }

  std::string& begin_event(char const* phase, std::string const& name, char const* category,
                           std::uint32_t worker) {
    events_ += (events_.empty() ? "\n" : ",\n");
    events_ += std::string("{\"ph\":\"") + phase + "\",\"name\":\"" + name +
               "\",\"pid\":0,\"tid\":" + std::to_string(worker);
    if (category != nullptr) events_ += std::string(",\"cat\":\"") + category + "\"";
    return events_;
  }

  void write_operations(std::uint32_t worker) {
    for (std::size_t i = timeline_.table.begin_of(worker);
         i < timeline_.table.begin_of(worker + std::size_t{1}); ++i) {
      if (is_second_of_pair(operations_, i)) continue;
      Operation const& operation = operations_[i];
      begin_event("X", slot_text(operations_, i), is_compute(operation) ? "compute" : "other", worker) +=
          ",\"ts\":" + stamp(timeline_.start[i]) +
          ",\"dur\":" + decimal(millionths(timeline_.end[i]) - millionths(timeline_.start[i]), digits) +
          ",\"args\":{\"stage\":" + std::to_string(operation.stage) +
          ",\"microbatch\":" + std::to_string(operation.micro_batch) + ",\"kind\":\"" +
          slot_kind(operations_, i) + "\",\"version\":" + std::to_string(operation.version) +
          ",\"start\":\"" + text(timeline_.time(timeline_.start[i])) + "\",\"end\":\"" +
          text(timeline_.time(timeline_.end[i])) + "\"}}";
    }
  }

  void write_activations(std::uint32_t worker) {
    std::uint32_t held = 0;
    std::string const name = "activations of worker " + std::to_string(worker);
    for (std::size_t i = timeline_.table.begin_of(worker);
         i < timeline_.table.begin_of(worker + std::size_t{1}); ++i) {
      Operation const& operation = operations_[i];
      bool const is_ahead = is_forward(operation);
      if (!is_ahead && !gives_weight_gradient(operation)) continue;
      is_ahead ? ++held : --held;
      begin_event("C", name, "activations", worker) +=
          ",\"ts\":" + stamp(is_ahead ? timeline_.start[i] : timeline_.end[i]) +
          ",\"args\":{\"chunks\":" + std::to_string(held) + "}}";
    }
  }

  void write_messages() {
    OperationIndex const index(timeline_.table);
    std::size_t number = 0;
    for (std::uint32_t worker = 0; worker < timeline_.table.workers(); ++worker) {
      std::size_t position = timeline_.table.begin_of(worker);
      for (Operation const& operation : timeline_.table.worker(worker)) {
        std::size_t const at = position++;
        if (!is_compute(operation)) continue;
        for_each_dependency(timeline_.table, index, operation, [&](std::size_t needed) {
          Operation const& producer = operations_[needed];
          std::uint32_t const from = index.worker_of(producer.direction, producer.stage);
          if (from == worker) return;
          std::string const id = ",\"id\":" + std::to_string(number++);
          begin_event("s", cell_text(producer), "message", from) +=
              id + ",\"ts\":" + stamp(timeline_.end[needed]) + "}";
          begin_event("f", cell_text(producer), "message", worker) +=
              id + ",\"bp\":\"e\",\"ts\":" + stamp(timeline_.start[at]) + "}";
        });
      }
    }
  }

  Timeline const& timeline_;
  std::span<Operation const> operations_;
  std::string events_;
};

}  // namespace detail

/// The timeline as a trace for Perfetto or chrome://tracing: workers as threads, an event of category
/// `compute` for each slot, arrows for messages between workers, and how many activations a worker holds.
///
/// Units: `ts` and `dur` are 1,000 times the time, so microseconds if the unit is a millisecond.
inline std::string schedule_trace(Timeline const& timeline) {
  return detail::TraceWriter(timeline).write();
}

}  // namespace weir::inline v1
