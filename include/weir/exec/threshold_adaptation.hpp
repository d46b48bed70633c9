#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/special.hpp"
#include "weir/exec/sparsify_constants.hpp"

namespace weir::inline v1 {

/// Of an adaptive number, and of stages of a fixed ratio; a fixed number has no limit.
inline constexpr std::uint32_t most_stages = 64;

/// The largest number of stages that is worth while at a density: each of them leaves half or less.
WEIR_HOST_DEVICE inline std::uint32_t most_useful_stages(double density) {
  double const halvings = -ln(density) / ln(2.0) - 1e-9;
  std::uint32_t stages = 1;
  while (stages < most_stages && static_cast<double>(stages) < halvings) ++stages;
  return stages;
}

/// The number of stages of one bucket, as it follows the quality of its selections.
///
/// Source: [abdelmoniem2021], rules 1 to 3; the rule with a memory and the moving first ratio are ours.
struct StageAdaptation {
  std::uint32_t stages = 1;    // M
  std::int32_t direction = 1;  // u
  double last_mean = 0.0;      // c', 0 before the first window
  double window_sum = 0.0;     // of qualities
  std::uint32_t window_calls = 0;
  std::uint32_t fruitless_moves = 0;  // in a row
  std::int32_t ratio_direction = -1;  // where the first ratio goes next
  std::uint32_t reserved = 0;         // no word of a state is left to chance
  double first_ratio = 0.25;          // d1
  double score[most_stages + 1] = {};
  std::uint64_t tried[2] = {0, 0};  // bit m: M was m at the end of a window

  static constexpr std::uint32_t window = 5;
  static constexpr double least_quality = 0.8;
  static constexpr double most_quality = 1.2;

  /// Takes the quality of a call; a window's last one moves the number of stages.
  WEIR_HOST_DEVICE void push(double quality, StageConstants const& constants, double density) {
    window_sum += quality;
    if (++window_calls != window) return;
    double const mean = window_sum / window;
    window_sum = 0.0;
    window_calls = 0;
    update(mean, constants, density);
  }

  /// The end of a window with this mean quality.
  WEIR_HOST_DEVICE void update(double mean, StageConstants const& constants, double density) {
    std::uint32_t const most = most_useful_stages(density);
    if (constants.rule == StageRule::memory) {
      remember(mean, most);
    } else {
      if (last_mean > 0.0 && turns(mean, constants.rule)) direction = -direction;
      std::int32_t const step = constants.rule == StageRule::greedy ? 1 : direction;
      std::int32_t moved = static_cast<std::int32_t>(stages);
      if (mean > most_quality) moved -= step;
      if (mean < least_quality) moved += step;
      stages = clamped(moved, most);
      last_mean = mean;
    }
    if (constants.moves_first_ratio) move_first_ratio(mean, most);
  }

 private:
  static constexpr double ratio_step = 0.05;
  static constexpr double least_ratio = 0.05;
  static constexpr double most_ratio = 0.5;

  WEIR_HOST_DEVICE static double size(double x) { return x < 0.0 ? -x : x; }
  WEIR_HOST_DEVICE static bool is_good(double mean) { return least_quality <= mean && mean <= most_quality; }
  WEIR_HOST_DEVICE static std::uint32_t clamped(std::int32_t count, std::uint32_t most) {
    if (count < 1) return 1;
    return static_cast<std::uint32_t>(count) > most ? most : static_cast<std::uint32_t>(count);
  }

  WEIR_HOST_DEVICE bool turns(double mean, StageRule rule) const {
    if (rule == StageRule::turning) return size(mean - 1.0) > size(last_mean - 1.0);
    if (rule != StageRule::progressive) return false;
    bool const comes_nearer =
        (mean > last_mean && last_mean < least_quality) || (mean < last_mean && last_mean > most_quality);
    return !comes_nearer;
  }

  WEIR_HOST_DEVICE bool was_tried(std::uint32_t count) const {
    return (tried[count / 64] >> (count % 64) & 1u) != 0;
  }

  WEIR_HOST_DEVICE void remember(double mean, std::uint32_t most) {
    double const miss = size(ln(mean < 1e-6 ? 1e-6 : mean));
    for (std::uint32_t count = 1; count <= most_stages; ++count) {
      if (count != stages) score[count] *= 0.9;
    }
    score[stages] = was_tried(stages) ? (score[stages] + miss) / 2 : miss;
    tried[stages / 64] |= std::uint64_t{1} << (stages % 64);
    if (is_good(mean)) return;
    std::uint32_t const here = stages;
    double best = score[here];
    for (int way = 0; way < 2; ++way) {
      std::uint32_t const other = way == 0 ? here + 1 : here - 1;
      if (other < 1 || other > most) continue;
      double const value = was_tried(other) ? score[other] : -1.0;
      if (value < best) {
        best = value;
        stages = other;
      }
    }
  }

  /// Down to the least ratio, up to the most, and down again: more of a first stage selects more with two
  /// stages and less with four, so that a quality alone does not tell the way.
  WEIR_HOST_DEVICE void move_first_ratio(double mean, std::uint32_t most) {
    if (is_good(mean)) {
      fruitless_moves = 0;
      return;
    }
    if (2 * ++fruitless_moves < most) return;
    StageAdaptation restarted;  // what was learnt belongs to the ratio that is left
    restarted.stages = (most + 1) / 2;
    restarted.ratio_direction = ratio_direction;
    restarted.first_ratio = first_ratio + ratio_direction * ratio_step;
    if (restarted.first_ratio < least_ratio + ratio_step / 2) {
      restarted.first_ratio = least_ratio;
      restarted.ratio_direction = 1;
    } else if (restarted.first_ratio > most_ratio - ratio_step / 2) {
      restarted.first_ratio = most_ratio;
      restarted.ratio_direction = -1;
    }
    *this = restarted;
  }
};

}  // namespace weir::inline v1
