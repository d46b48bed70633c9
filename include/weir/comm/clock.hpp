#pragma once

// The durations and clocks of <chrono> without its calendars and formats, which are most of its size.
#if __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif

namespace weir::inline v1 {

/// The clock of all deadlines.
using Clock = std::chrono::steady_clock;

}  // namespace weir::inline v1
