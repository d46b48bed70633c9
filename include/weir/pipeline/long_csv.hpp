#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/rational.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/table_file_error.hpp"
#include "weir/pipeline/timeline.hpp"

namespace weir::inline v1 {

namespace detail {

inline constexpr std::string_view long_csv_header =
    "worker,slot,kind,stage,microbatch,direction,version,period,start,end";

inline std::string long_csv_lines(TableView const& table, Timeline const* timeline) {
  std::string text = std::string(long_csv_header) + '\n';
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    std::size_t position = table.begin_of(worker);
    std::size_t slot = 0;
    for (Operation const& operation : table.worker(worker)) {
      text += std::to_string(worker) + ',' + std::to_string(slot) + ',' + name_of(operation.kind) + ',' +
              std::to_string(operation.stage) + ',' + std::to_string(operation.micro_batch) + ',' +
              (operation.direction == Direction::reverse ? "reverse" : "forward") + ',' +
              std::to_string(operation.version) + ',' + std::to_string(operation.period) + ',';
      if (timeline != nullptr) text += weir::text(timeline->time(timeline->start[position]));
      text += ',';
      if (timeline != nullptr) text += weir::text(timeline->time(timeline->end[position]));
      text += '\n';
      ++position;
      if (operation.kind != OperationKind::pair) ++slot;
    }
  }
  return text;
}

}  // namespace detail

/// Everything a table says, one operation per line; those of a pair have the same slot. Start and end are
/// exact fractions, or empty.
inline std::string long_csv(Timeline const& timeline) {
  return detail::long_csv_lines(timeline.table, &timeline);
}
inline std::string long_csv(TableView const& table) {
  return detail::long_csv_lines(table, nullptr);
}

namespace detail {

/// Reads the long form.
class LongReader {
 public:
  ScheduleTable read(std::string_view text) {
    Split lines(without_empty_end(text), '\n');
    std::string_view line;
    if (!lines.next(line) || line != long_csv_header)
      throw TableFileError(1, line, "the header " + std::string(long_csv_header));
    while (lines.next(line)) {
      ++row_;
      read_line(line);
    }
    if (workers_.empty()) throw TableFileError("the file has no operations; a line for each would be right");
    return make_table();
  }

 private:
  enum Column { worker, slot, kind, stage, micro_batch, direction, version, period, start, end, columns };

  void read_line(std::string_view line) {
    std::string_view cells[columns];
    Split split(line, ',');
    std::size_t count = 0;
    for (std::string_view cell; split.next(cell); ++count) {
      if (count < columns) cells[count] = cell;
    }
    if (count != columns) throw TableFileError(row_, line, "10 values");
    Operation operation;
    operation.kind = kind_of(cells[kind]);
    operation.stage = static_cast<std::uint16_t>(number(cells[stage], 65535));
    operation.micro_batch = number(cells[micro_batch], UINT32_MAX - 2);
    operation.version = number(cells[version], UINT32_MAX);
    operation.period = number(cells[period], UINT32_MAX - 2);
    if (cells[direction] == "reverse") {
      operation.direction = Direction::reverse;
    } else if (cells[direction] != "forward") {
      throw TableFileError(row_, cells[direction], "forward or reverse");
    }
    enter(operation, number(cells[worker], 65535), number(cells[slot], UINT32_MAX - 2));
  }

  void enter(Operation const& operation, std::uint32_t on, std::uint32_t at) {
    if (on + std::size_t{1} > workers_.size()) {
      workers_.resize(on + std::size_t{1});
      next_slot_.resize(on + std::size_t{1}, 0);
    }
    std::vector<Operation>& operations = workers_[on];
    if (at + std::uint64_t{1} == next_slot_[on] && is_forward(operations.back()) &&
        gives_input_gradient(operation)) {
      operations.back().kind = OperationKind::pair;
    } else if (at == next_slot_[on]) {
      ++next_slot_[on];
    } else {
      throw TableFileError(row_, std::to_string(at), "slot " + std::to_string(next_slot_[on]));
    }
    operations.push_back(operation);
    if (operation.stage >= properties_.stages) properties_.stages = operation.stage + 1u;
    if (operation.micro_batch >= properties_.micro_batches)
      properties_.micro_batches = operation.micro_batch + 1;
    if (operation.period > largest_period_) largest_period_ = operation.period;
  }

  /// What the periods and versions say of the table: the first micro-batch of period 1 is the number of one.
  ScheduleTable make_table() {
    properties_.synchronous = largest_period_ == 0;
    properties_.period = properties_.micro_batches;
    for (std::vector<Operation> const& operations : workers_) {
      for (Operation const& operation : operations) {
        if (operation.period == 1 && operation.micro_batch < properties_.period)
          properties_.period = operation.micro_batch;
      }
    }
    if (properties_.period == 0)
      throw TableFileError("micro-batch 0 is in period 1; period 0 would be right");
    for (std::vector<Operation> const& operations : workers_) {
      for (Operation const& operation : operations) {
        if (operation.period != operation.micro_batch / properties_.period)
          throw TableFileError(
              "the period of " + cell_text(operation) + " is " + std::to_string(operation.period) + "; " +
              std::to_string(operation.micro_batch / properties_.period) + " would be right");
      }
    }
    return ScheduleTable(properties_, workers_);
  }

  OperationKind kind_of(std::string_view name) const {
    for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(OperationKind::barrier); ++i) {
      if (name == name_of(static_cast<OperationKind>(i))) return static_cast<OperationKind>(i);
    }
    throw TableFileError(row_, name, "a kind such as F, B, I or W");
  }
  std::uint32_t number(std::string_view digits, std::uint32_t most) const {
    std::uint64_t value = 0;
    for (char const digit : digits) {
      if (digit < '0' || digit > '9' || value > most) throw TableFileError(row_, digits, "a whole number");
      value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    if (digits.empty() || value > most)
      throw TableFileError(row_, digits, "a whole number up to " + std::to_string(most));
    return static_cast<std::uint32_t>(value);
  }

  std::size_t row_ = 1;
  TableProperties properties_;
  std::uint32_t largest_period_ = 0;
  std::vector<std::vector<Operation>> workers_;
  std::vector<std::uint32_t> next_slot_;  // of each worker
};

}  // namespace detail

/// Reads the long form. Its times are not used; a table with a single period is synchronous.
///
/// Errors: TableFileError, naming row and cell.
inline ScheduleTable read_long_csv(std::string_view text) {
  return detail::LongReader().read(text);
}

}  // namespace weir::inline v1
