#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir::inline v1::detail {

/// The median of what `run()` gives in `repetitions` calls, at least 1, after `warmup` that do not count.
template <class Run>
std::int64_t median_time(std::size_t warmup, std::size_t repetitions, Run const& run) {
  std::vector<std::int64_t> sorted;
  for (std::size_t i = 0; i < warmup + repetitions; ++i) {
    std::int64_t const time = run();
    if (i < warmup) continue;
    sorted.push_back(time);
    for (std::size_t place = sorted.size() - 1; place > 0 && sorted[place] < sorted[place - 1]; --place)
      std::swap(sorted[place], sorted[place - 1]);
  }
  return sorted[sorted.size() / 2];
}

}  // namespace weir::inline v1::detail
