#pragma once

#include <cstdint>

#include "weir/comm/pipeline_message.hpp"

namespace weir::inline v1 {

/// How a transport whose tags are small numbers tells the messages of a pipeline apart.
struct MessageNumbers {
  std::uint32_t stages = 1;
  std::uint32_t links = 1;          ///< between neighbours, and along each skip edge
  std::uint32_t micro_batches = 1;  ///< 1: each stage's messages come in the order in which they are sent
  std::uint64_t layout = 0;         ///< a hash of the table and of the messages' sizes: the same on all ranks
  std::uint32_t weight_links = 0;   ///< of gradients of weights, which come in order; 0: none are sent

  /// Numbers are below this.
  constexpr std::uint64_t count() const { return others() + std::uint64_t{2} * weight_links * stages; }
  constexpr std::uint64_t of(MessageTag const& tag) const {
    std::uint64_t number = std::uint64_t{tag.link} * stages + tag.stage;
    number = 2 * number + (tag.direction == Direction::reverse ? 1 : 0);
    if (tag.is_weight_gradient) return others() + number;
    number = 2 * number + (tag.is_forward ? 1 : 0);
    return number * micro_batches + tag.micro_batch % micro_batches;
  }

 private:
  /// How many there are of outputs and their gradients.
  constexpr std::uint64_t others() const { return std::uint64_t{4} * links * stages * micro_batches; }
};

}  // namespace weir::inline v1
