#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/comm/direction.hpp"

namespace weir::inline v1 {

class MessagePool;

/// Which message it is: the output of a stage, or the gradient of its input, for one micro-batch of a run; or
/// the gradient of its weights for one period, of which the number stands for the micro-batch then.
struct MessageTag {
  std::uint32_t run = 0;
  std::uint32_t micro_batch = 0;
  std::uint16_t stage = 0;  ///< that sends it
  /// 0: between neighbours; k: along skip edge k - 1. Of weights 0: the stage's own; k: the k-th tied
  /// parameter.
  std::uint16_t link = 0;
  bool is_forward = true;
  Direction direction = Direction::forward;
  bool is_weight_gradient = false;
  friend constexpr bool operator==(MessageTag const&, MessageTag const&) = default;
};

/// "2F3", "2B0r", "0F3 of skip edge 1", "3W0" for a gradient of weights, "3W0 of tied parameter 1".
inline std::string text(MessageTag const& tag) {
  std::string text = std::to_string(tag.stage);
  text += tag.is_weight_gradient ? 'W' : tag.is_forward ? 'F' : 'B';
  text += std::to_string(tag.micro_batch);
  if (tag.direction == Direction::reverse) text += 'r';
  if (tag.link == 0) return text;
  return text + (tag.is_weight_gradient ? " of tied parameter " : " of skip edge ") +
         std::to_string(tag.link - 1);
}

/// A buffer on its way from one stage to another. Whoever has it owns it, and gives it back to `home` after
/// the last use.
struct PipelineMessage {
  MessageTag tag = {};
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  MessagePool* home = nullptr;  // null: there is no message
};

}  // namespace weir::inline v1
