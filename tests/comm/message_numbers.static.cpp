#include "weir/comm/message_numbers.hpp"

using weir::MessageTag;

namespace {

/// Each number below the count is that of one tag.
constexpr bool are_all_different(weir::MessageNumbers const& numbers) {
  bool is_taken[64] = {};
  std::uint64_t taken = 0;
  for (std::uint16_t link = 0; link < numbers.weight_links; ++link) {
    for (std::uint16_t stage = 0; stage < numbers.stages; ++stage) {
      for (auto const direction : {weir::Direction::forward, weir::Direction::reverse}) {
        MessageTag const tag{.micro_batch = 5,
                             .stage = stage,
                             .link = link,
                             .direction = direction,
                             .is_weight_gradient = true};
        auto const number = numbers.of(tag);
        if (number >= numbers.count() || is_taken[number]) return false;
        is_taken[number] = true;
        ++taken;
      }
    }
  }
  for (std::uint16_t link = 0; link < numbers.links; ++link) {
    for (std::uint16_t stage = 0; stage < numbers.stages; ++stage) {
      for (std::uint32_t j = 0; j < numbers.micro_batches; ++j) {
        for (bool const is_forward : {true, false}) {
          for (auto const direction : {weir::Direction::forward, weir::Direction::reverse}) {
            auto const number = numbers.of({7, j, stage, link, is_forward, direction});
            if (number >= numbers.count() || is_taken[number]) return false;
            is_taken[number] = true;
            ++taken;
          }
        }
      }
    }
  }
  return taken == numbers.count();
}

static_assert(are_all_different({.stages = 3, .links = 2}));
static_assert(are_all_different({.stages = 2, .links = 2, .micro_batches = 3}));
static_assert(are_all_different({.stages = 3, .links = 2, .micro_batches = 2, .weight_links = 2}));
// In order the micro-batch does not count.
static_assert(weir::MessageNumbers{.stages = 4}.of({.micro_batch = 1}) ==
              weir::MessageNumbers{.stages = 4}.of({.micro_batch = 2}));

}  // namespace
