#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/comm/direction.hpp"

namespace weir::inline v1 {

class MessagePool;

/// Which message it is: the output of a stage, or the gradient of its input, for one micro-batch of a run.
struct MessageTag {
  std::uint32_t run = 0;
  std::uint32_t micro_batch = 0;
  std::uint16_t stage = 0;  ///< that sends it
  std::uint16_t link = 0;   ///< 0: between neighbours; k: along skip edge k - 1
  bool is_forward = true;
  Direction direction = Direction::forward;
  friend constexpr bool operator==(MessageTag const&, MessageTag const&) = default;
};

/// "2F3", "2B0r", "0F3 of skip edge 1".
inline std::string text(MessageTag const& tag) {
  std::string text =
      std::to_string(tag.stage) + (tag.is_forward ? "F" : "B") + std::to_string(tag.micro_batch);
  if (tag.direction == Direction::reverse) text += 'r';
  if (tag.link != 0) text += " of skip edge " + std::to_string(tag.link - 1);
  return text;
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
