#pragma once

#include <concepts>
#include <cstdint>

#include "weir/stage/step_info.hpp"

namespace weir::inline v1 {

/// When the scale is applied: to each worker's bucket before the local sum and the collective, or once after
/// them.
enum class ScaleTime : std::uint8_t {
  automatic,   // before the sum for 16-bit gradients, which could overflow, else after it
  before_sum,  // what follows sees the mean, e.g. the residual of an error feedback
  after_sum,   // costs nothing: the update applies it
};

constexpr char const* name_of(ScaleTime time) {
  switch (time) {
    case ScaleTime::automatic:
      return "automatic";
    case ScaleTime::before_sum:
      return "before the sum";
    case ScaleTime::after_sum:
      return "after the sum";
  }
  return "unknown";
}

/// What turns the sum of (n_u / b) g_u into the gradient that is applied.
///
/// Gradients that others have computed have no b: it is 1 then, unless a policy has
/// `static constexpr bool takes_means_as_full = true`, for which each that has samples counts as 1.
template <class S>
concept ScalePolicy = requires(S const& scale, StepInfo const& step) {
  { scale.factor(step) } -> std::same_as<double>;
};

namespace detail {
template <class Scale>
inline constexpr bool takes_means_as_full = requires {
  requires Scale::takes_means_as_full;
};
}  // namespace detail

/// The sum over micro-batches.
struct SumScale {
  static constexpr char const* name = "sum";
  static constexpr bool takes_means_as_full = true;

  double factor(StepInfo const&) const { return 1.0; }
};

/// The mean over all micro-batches of all ranks, empty ones included.
struct MeanOverMicroBatches {
  static constexpr char const* name = "mean over micro-batches";
  static constexpr bool takes_means_as_full = true;

  double factor(StepInfo const& step) const { return 1.0 / static_cast<double>(step.total_micro_batches); }
};

/// The exact mean over all samples of all ranks.
struct MeanOverSamples {
  static constexpr char const* name = "mean over samples";

  double factor(StepInfo const& step) const {
    return step.samples == 0 ? 0.0
                             : static_cast<double>(step.local_batch) / static_cast<double>(step.samples);
  }
};

}  // namespace weir::inline v1
