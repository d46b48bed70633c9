#pragma once

#include <cstdint>
#include <string>

namespace weir::inline v1 {

/// How large a schedule is to be. 0 stands for the schedule's default.
struct ScheduleShape {
  std::uint32_t workers = 1;
  std::uint32_t micro_batches = 1;  ///< of a flush; of the whole run where there is none
  std::uint32_t chunks = 0;         ///< stages per worker and direction
  std::uint32_t group = 0;          ///< micro-batches of a group of interleaved 1F1B
  std::uint32_t warmup_factor = 0;  ///< of interleaved 1F1B: 1 or 2
  std::uint32_t period = 0;         ///< micro-batches per update where there is no flush
  std::uint32_t blocks = 0;         ///< of a period of WPipe

  friend constexpr bool operator==(ScheduleShape const&, ScheduleShape const&) = default;
};

/// What holds for every table of a schedule.
struct ScheduleTraits {
  char const* name;
  bool synchronous = true;       ///< one update, after a flush
  bool splits_backward = false;  ///< into gradients of inputs and of weights
  std::uint32_t directions = 1;  ///< copies of the model
  std::uint32_t chunks = 1;
  bool chunks_are_free = false;  ///< `chunks` is a default only
  bool has_group = false;
  bool has_warmup_factor = false;
  bool has_blocks = false;
};

enum class ShapeParameter : std::uint8_t {
  none,
  workers,
  micro_batches,
  chunks,
  group,
  warmup_factor,
  period,
  blocks
};

/// Why there is no such schedule, and the nearest shape that exists. `none` where there is one.
struct ShapeRefusal {
  ShapeParameter parameter = ShapeParameter::none;
  std::uint32_t given = 0;
  char const* rule = "";
  std::uint32_t nearest = 0;  ///< value of the parameter

  constexpr explicit operator bool() const { return parameter != ShapeParameter::none; }
};

inline char const* name_of(ShapeParameter parameter) {
  constexpr char const* names[] = {"none",  "workers",       "micro_batches", "chunks",
                                   "group", "warmup_factor", "period",        "blocks"};
  return names[static_cast<int>(parameter)];
}

/// "workers 3: dualpipe needs an even number of workers; 4 would be right". `option` is how the reader knows
/// the parameter.
inline std::string text(ShapeRefusal const& refusal, std::string const& schedule, std::string option = {}) {
  if (option.empty()) option = name_of(refusal.parameter);
  return option + " " + std::to_string(refusal.given) + ": " + schedule + " " + refusal.rule + "; " +
         std::to_string(refusal.nearest) + " would be right";
}

namespace detail {

constexpr std::uint32_t at_least(std::uint32_t least, std::uint32_t value) {
  return value < least ? least : value;
}

constexpr std::uint32_t nearest_multiple(std::uint32_t value, std::uint32_t factor) {
  return at_least(1, value / factor + (value % factor >= factor - factor / 2 ? 1 : 0)) * factor;
}

constexpr std::uint32_t nearest_divisor(std::uint32_t value, std::uint32_t dividend) {
  if (value > dividend) return dividend;
  for (std::uint32_t distance = 0;; ++distance) {
    if (value > distance && dividend % (value - distance) == 0) return value - distance;
    if (value + distance <= dividend && dividend % (value + distance) == 0) return value + distance;
  }
}

constexpr std::uint32_t nearest_even(std::uint32_t value) {
  return value + value % 2;
}

}  // namespace detail

/// The shape with the schedule's defaults in place of zeros.
constexpr ScheduleShape completed(ScheduleTraits const& traits, ScheduleShape shape,
                                  std::uint32_t default_period) {
  if (shape.chunks == 0) shape.chunks = traits.chunks;
  if (shape.warmup_factor == 0) shape.warmup_factor = 2;
  if (shape.blocks == 0) shape.blocks = 1;
  if (shape.period == 0) shape.period = traits.synchronous ? shape.micro_batches : default_period;
  return shape;
}

/// What is asked of every schedule's shape, which was completed.
constexpr ShapeRefusal check_shape(ScheduleTraits const& traits, ScheduleShape const& shape) {
  if (shape.workers == 0) return {ShapeParameter::workers, 0, "needs one worker or more", 1};
  if (shape.micro_batches == 0) return {ShapeParameter::micro_batches, 0, "needs one micro-batch or more", 1};
  if (!traits.chunks_are_free && shape.chunks != traits.chunks)
    return {ShapeParameter::chunks, shape.chunks, "has a fixed number of stages per worker", traits.chunks};
  if (std::uint64_t{shape.workers} * shape.chunks > 65536)
    return {ShapeParameter::workers, shape.workers, "cannot have more than 65536 stages",
            65536 / shape.chunks};
  if (!traits.has_group && shape.group != 0)
    return {ShapeParameter::group, shape.group, "has no groups to choose", 0};
  if (shape.warmup_factor > 2 || (shape.warmup_factor == 1 && !traits.has_warmup_factor)) {
    char const* const rule =
        traits.has_warmup_factor ? "has a warm-up of factor 1 or 2" : "has no warm-up to choose";
    return {ShapeParameter::warmup_factor, shape.warmup_factor, rule, traits.has_warmup_factor ? 2u : 0u};
  }
  if (traits.synchronous && shape.period != shape.micro_batches)
    return {ShapeParameter::period, shape.period, "updates the weights once, after all", shape.micro_batches};
  if (!traits.has_blocks && shape.blocks != 1)
    return {ShapeParameter::blocks, shape.blocks, "has no blocks to choose", 1};
  if (shape.period % shape.blocks != 0) {
    return {ShapeParameter::blocks, shape.blocks,
            "needs a period (micro-batches per update) that is a multiple of it",
            detail::nearest_divisor(shape.blocks, shape.period)};
  }
  if (shape.micro_batches % shape.period != 0) {
    return {ShapeParameter::micro_batches, shape.micro_batches,
            "needs a multiple of the period (micro-batches per update)",
            detail::nearest_multiple(shape.micro_batches, shape.period)};
  }
  return {};
}

}  // namespace weir::inline v1
