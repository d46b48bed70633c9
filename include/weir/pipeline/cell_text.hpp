#pragma once

#include <cstdint>
#include <string>

#include "weir/pipeline/operation.hpp"

namespace weir::inline v1 {

/// "F", "B", "SEND_F": as it stands in the cells of a file.
constexpr char const* name_of(OperationKind kind) {
  constexpr char const* names[] = {"F",      "B",      "I",      "W",      "F",       "RECOMPUTE",
                                   "LOAD",   "LOSS",   "REDUCE", "UPDATE", "PREDICT", "SEND_F",
                                   "RECV_F", "SEND_B", "RECV_B", "BARRIER"};
  return names[static_cast<std::uint8_t>(kind)];
}

/// "2F3": stage, kind, micro-batch, and `r` if it runs in reverse direction. Of a pair: its forward.
inline std::string cell_text(Operation const& operation) {
  std::string text = std::to_string(operation.stage);
  text += name_of(operation.kind);
  text += std::to_string(operation.micro_batch);
  if (operation.direction == Direction::reverse) text += 'r';
  return text;
}

}  // namespace weir::inline v1
