#pragma once

#include <cstdint>
#include <string>

#include "weir/trace/text.hpp"

namespace weir::inline v1::detail {

/// A unit of time in which the marks of an axis are short numbers.
struct TimeUnit {
  char const* name;
  std::int64_t nanoseconds;
};

constexpr TimeUnit unit_for(std::int64_t duration) {
  if (duration >= 1'000'000'000) return {"s", 1'000'000'000};
  if (duration >= 1'000'000) return {"ms", 1'000'000};
  if (duration >= 1'000) return {"µs", 1'000};
  return {"ns", 1};
}

/// 1, 2 or 5 times a power of ten, so that at most `marks` of it fit in the duration.
constexpr std::int64_t mark_distance(std::int64_t duration, std::int64_t marks) {
  constexpr std::int64_t factors[] = {1, 2, 5};
  for (std::int64_t power = 1; power <= duration; power *= 10) {
    for (std::int64_t const factor : factors) {
      if (duration / (factor * power) <= marks) return factor * power;
    }
  }
  return duration > 1 ? duration : 1;
}

/// At most three decimals, and none that say nothing.
inline std::string time_text(std::int64_t nanoseconds, TimeUnit unit) {
  std::string text = decimal(nanoseconds * 1'000 / unit.nanoseconds, 3);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

inline std::string length_text(std::int64_t nanoseconds) {
  TimeUnit const unit = unit_for(nanoseconds);
  return time_text(nanoseconds, unit) + " " + unit.name;
}

}  // namespace weir::inline v1::detail
