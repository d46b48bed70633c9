#pragma once

#include "weir/core/clock.hpp"

namespace weir::inline v1 {

/// What all communicators share.
struct CommOptions {
  std::chrono::milliseconds deadline{30'000};  // no wait for another rank lasts longer without progress

  /// The time at which a wait that begins now ends.
  std::chrono::steady_clock::time_point give_up_time() const {
    constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365);
    return std::chrono::steady_clock::now() + (deadline < longest ? deadline : longest);
  }
};

}  // namespace weir::inline v1
