#pragma once

#include "weir/comm/clock.hpp"

namespace weir::inline v1 {

/// What all communicators share.
struct CommOptions {
  std::chrono::milliseconds deadline{30'000};  // no wait for another rank lasts longer without progress

  /// The time at which a wait that begins now ends.
  Clock::time_point give_up_time() const {
    constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365);
    return Clock::now() + (deadline < longest ? deadline : longest);
  }
};

}  // namespace weir::inline v1
