#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

namespace bench {

/// What the caches hold when a candidate begins.
enum class Caches { as_left, warm, cold };

inline char const* name_of(Caches caches) {
  return caches == Caches::warm ? ", warm" : caches == Caches::cold ? ", cold" : "";
}

inline std::uint64_t volatile sink;

/// Reads words as fast as they come.
inline void read_all(void const* memory, std::size_t bytes) {
  auto const* const words = static_cast<char const*>(memory);
  std::uint64_t sums[32] = {};
  std::size_t at = 0;
  for (; at + sizeof sums <= bytes; at += sizeof sums) {
    std::uint64_t block[32];
    std::memcpy(block, words + at, sizeof block);
    for (int i = 0; i < 32; ++i) sums[i] += block[i];
  }
  std::uint64_t sum = 0;
  for (std::uint64_t const part : sums) sum += part;
  sink = sum;
}

inline void prepare(Caches caches, std::function<void()> const& candidate) {
  if (caches == Caches::warm) candidate();
  if (caches != Caches::cold) return;
  static std::vector<char> const other(std::size_t{256} << 20, 1);
  read_all(other.data(), other.size());
}

/// The best time of each, taken by turns. A turn is two runs, so that a stream's thread, where there is one,
/// is awake in the second, unless the caches are to be cold. Units: seconds.
inline std::vector<double> by_turns(std::vector<std::function<void()>> const& candidates,
                                    Caches caches = Caches::as_left) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> best(candidates.size(), std::numeric_limits<double>::infinity());
  int const runs = caches == Caches::as_left ? 2 : 1;
  double spent = 0;
  for (int turn = 0; turn < 7 || (turn < 40 && spent < 0.4); ++turn) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (!candidates[i]) continue;
      prepare(caches, candidates[i]);
      for (int run = 0; run < runs; ++run) {
        auto const begin = Clock::now();
        candidates[i]();
        double const time = std::chrono::duration<double>(Clock::now() - begin).count();
        best[i] = std::min(best[i], time);
        spent += time;
      }
    }
  }
  return best;
}

}  // namespace bench
