#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/schedule_table.hpp"

/// Whether a worker does what the cells say, as in "0F0 0B0 (1F3;2B1) 0F2r".
constexpr bool is_row(weir::TableView const& table, std::uint32_t worker, std::string_view cells) {
  auto const number = [&cells] {
    std::uint32_t value = 0;
    while (!cells.empty() && cells.front() >= '0' && cells.front() <= '9') {
      value = value * 10 + static_cast<std::uint32_t>(cells.front() - '0');
      cells.remove_prefix(1);
    }
    return value;
  };
  auto const skip = [&cells](char character) {
    bool const is_there = !cells.empty() && cells.front() == character;
    if (is_there) cells.remove_prefix(1);
    return is_there;
  };
  for (weir::Operation const& operation : table.worker(worker)) {
    if (skip('(') != (operation.kind == weir::OperationKind::pair)) return false;
    if (number() != operation.stage || !skip(weir::name_of(operation.kind)[0])) return false;
    if (number() != operation.micro_batch) return false;
    if (skip('r') != (operation.direction == weir::Direction::reverse)) return false;
    if (operation.kind == weir::OperationKind::pair) {
      if (!skip(';')) return false;
      continue;
    }
    skip(')');
    if (!skip(' ') && !cells.empty()) return false;
  }
  return cells.empty();
}
