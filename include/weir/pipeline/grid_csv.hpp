#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/table_file_error.hpp"
#include "weir/trace/merge_sort.hpp"

namespace weir::inline v1 {

/// The computing operations of a table as comma separated values: one row per worker, one cell per slot, such
/// as `2F3`, `2B0r` (reverse direction), `(1F3;2B1)OVERLAP_F_B` (a pair). Without `r` this is the
/// compute-only format of torch.distributed.pipelining. A worker without operations has two empty cells.
inline std::string grid_csv(TableView const& table) {
  std::string text;
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    bool is_first = true;
    bool is_in_pair = false;
    for (Operation const& operation : table.worker(worker)) {
      if (!is_compute(operation)) continue;
      if (!is_first && !is_in_pair) text += ',';
      is_first = false;
      if (operation.kind == OperationKind::pair) {
        text += '(' + cell_text(operation) + ';';
        is_in_pair = true;
      } else {
        text += cell_text(operation);
        if (is_in_pair) text += ")OVERLAP_F_B";
        is_in_pair = false;
      }
    }
    if (is_first) text += ',';
    text += '\n';
  }
  return text;
}

namespace detail {

/// Reads a grid.
class GridReader {
 public:
  ScheduleTable read(std::string_view text) {
    text = without_empty_end(text);
    if (text.empty())
      throw TableFileError("the file is empty; a row of cells such as 0F0 for each worker would be right");
    std::vector<std::vector<Operation>> workers;
    Split rows(text, '\n');
    for (std::string_view row; rows.next(row);) {
      ++row_;
      workers.emplace_back();
      Split cells(row, ',');
      for (std::string_view cell; cells.next(cell);) {
        if (!cell.empty()) read_cell(cell, workers.back());
      }
    }
    if (!has_operations_)
      throw TableFileError("the file has no operations; cells such as 0F0 would be right");
    if (has_old_letters(workers)) rename(workers);
    return ScheduleTable({.workers = static_cast<std::uint32_t>(workers.size()),
                          .stages = largest_stage_ + 1,
                          .micro_batches = largest_micro_batch_ + 1,
                          .period = largest_micro_batch_ + 1},
                         workers);
  }

 private:
  static constexpr char const* expected =
      "STAGE, one of F B I W, and MICROBATCH, as in 2F3 or 2B3r, (1F3;2B1)OVERLAP_F_B, or communication as "
      "in 2SEND_F3";
  // A whole backward in the older letters, where B is I. No table has one of these.
  static constexpr OperationKind old_whole_backward = OperationKind::barrier;

  [[noreturn]] void refuse(std::string_view cell) const { throw TableFileError(row_, cell, expected); }

  void read_cell(std::string_view cell, std::vector<Operation>& out) {
    if (cell.front() != '(') {
      Operation operation;
      if (read_operation(cell, cell, operation)) out.push_back(operation);
      return;
    }
    constexpr std::string_view end = ")OVERLAP_F_B";
    if (!cell.ends_with(end)) refuse(cell);
    Split parts(cell.substr(1, cell.size() - 1 - end.size()), ';');
    std::string_view text[2];
    std::string_view more;
    if (!parts.next(text[0]) || !parts.next(text[1]) || parts.next(more)) refuse(cell);
    Operation pair[2];
    if (!read_operation(text[0], cell, pair[0]) || !read_operation(text[1], cell, pair[1])) refuse(cell);
    bool const is_backward = gives_input_gradient(pair[1]) || pair[1].kind == old_whole_backward;
    if (pair[0].kind != OperationKind::forward || !is_backward) refuse(cell);
    pair[0].kind = OperationKind::pair;
    out.push_back(pair[0]);
    out.push_back(pair[1]);
  }

  static std::string_view take(std::string_view& text, bool digits) {
    auto const belongs = [digits](char c) {
      return digits ? c >= '0' && c <= '9' : (c >= 'A' && c <= 'Z') || c == '_';
    };
    std::size_t size = 0;
    while (size < text.size() && belongs(text[size])) ++size;
    std::string_view const taken = text.substr(0, size);
    text.remove_prefix(size);
    return taken;
  }

  std::uint32_t number(std::string_view digits, std::uint32_t most, std::string_view cell) const {
    std::uint64_t value = 0;
    if (digits.empty()) refuse(cell);
    for (char const digit : digits) {
      value = value * 10 + static_cast<std::uint64_t>(digit - '0');
      if (value > most) {
        throw TableFileError(row_, cell, "stages up to 65535 and micro-batches up to 4294967293");
      }
    }
    return static_cast<std::uint32_t>(value);
  }

  /// Returns whether it is an operation of the table, and not one that is left out.
  bool read_operation(std::string_view text, std::string_view cell, Operation& operation) {
    std::string_view const stage = take(text, true);
    std::string_view const kind = take(text, false);
    std::string_view const micro_batch = take(text, true);
    operation.stage = static_cast<std::uint16_t>(number(stage, 65535, cell));
    if (kind == "UNSHARD" || kind == "RESHARD" || kind == "REDUCE_GRAD") {
      if (!text.empty()) refuse(cell);
      return false;
    }
    if (text == "r") {
      operation.direction = Direction::reverse;
    } else if (!text.empty()) {
      refuse(cell);
    }
    operation.kind = kind_of(kind, cell);
    operation.micro_batch = number(micro_batch, UINT32_MAX - 2, cell);
    has_operations_ = true;
    if (operation.stage > largest_stage_) largest_stage_ = operation.stage;
    if (operation.micro_batch > largest_micro_batch_) largest_micro_batch_ = operation.micro_batch;
    return true;
  }

  OperationKind kind_of(std::string_view kind, std::string_view cell) const {
    if (kind == "F") return OperationKind::forward;
    if (kind == "B") return OperationKind::backward;
    if (kind == "I") return OperationKind::backward_input;
    if (kind == "W") return OperationKind::backward_weight;
    if (kind == "BW") return old_whole_backward;
    if (kind == "SEND_F") return OperationKind::send_forward;
    if (kind == "RECV_F") return OperationKind::receive_forward;
    if (kind == "SEND_B") return OperationKind::send_backward;
    if (kind == "RECV_B") return OperationKind::receive_backward;
    refuse(cell);
  }

  /// Whether B stands for I: there is a BW, or no I, and a B beside a W.
  static bool has_old_letters(std::vector<std::vector<Operation>> const& workers) {
    std::vector<std::uint64_t> whole;
    std::vector<std::uint64_t> weight;
    for (std::vector<Operation> const& operations : workers) {
      for (Operation const& operation : operations) {
        std::uint64_t const key = std::uint64_t{operation.stage} << 32 | operation.micro_batch;
        if (operation.kind == old_whole_backward) return true;
        if (operation.kind == OperationKind::backward_input) return has_whole_old_backward(workers);
        if (operation.kind == OperationKind::backward) whole.push_back(key);
        if (operation.kind == OperationKind::backward_weight) weight.push_back(key);
      }
    }
    auto const before = [](std::uint64_t left, std::uint64_t right) { return left < right; };
    merge_sort(whole, before);
    merge_sort(weight, before);
    for (std::size_t i = 0, j = 0; i < whole.size() && j < weight.size();) {
      if (whole[i] == weight[j]) return true;
      ++(whole[i] < weight[j] ? i : j);
    }
    return false;
  }
  static bool has_whole_old_backward(std::vector<std::vector<Operation>> const& workers) {
    for (std::vector<Operation> const& operations : workers) {
      for (Operation const& operation : operations) {
        if (operation.kind == old_whole_backward) return true;
      }
    }
    return false;
  }
  static void rename(std::vector<std::vector<Operation>>& workers) {
    for (std::vector<Operation>& operations : workers) {
      for (Operation& operation : operations) {
        if (operation.kind == OperationKind::backward) {
          operation.kind = OperationKind::backward_input;
        } else if (operation.kind == old_whole_backward) {
          operation.kind = OperationKind::backward;
        }
      }
    }
  }

  std::size_t row_ = 0;
  bool has_operations_ = false;
  std::uint32_t largest_stage_ = 0;
  std::uint32_t largest_micro_batch_ = 0;
};

}  // namespace detail

/// Reads such a grid, as a synchronous table; its stages and micro-batches are one more than the largest that
/// occur.
///
/// Read in addition: empty cells and blanks, which are left out; rows of different length; `\r\n`; empty
/// lines at the end; communication, as in 2SEND_F3, 2RECV_B0; 2UNSHARD, 2RESHARD and 2REDUCE_GRAD, which are
/// left out; and the older letters, where B is the gradient of the input and BW the whole backward. Errors:
/// TableFileError, naming row and cell.
inline ScheduleTable read_grid_csv(std::string_view text) {
  return detail::GridReader().read(text);
}

}  // namespace weir::inline v1
