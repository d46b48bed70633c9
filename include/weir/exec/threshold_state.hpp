#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/core/special.hpp"
#include "weir/exec/sparsify_constants.hpp"
#include "weir/exec/sparsify_statistics.hpp"
#include "weir/exec/threshold_adaptation.hpp"

namespace weir::inline v1 {

/// k: how many of `size` slots a density means. The product is rounded to double before it is cut off, so
/// that 0.29 of 100 is 28.
WEIR_HOST_DEVICE inline std::uint64_t slots_of(double density, std::uint64_t size) {
  if (size == 0) return 0;
  double const product = density * static_cast<double>(size);
  if (!(product >= 1.0)) return 1;
  if (product >= static_cast<double>(size)) return size;
  return static_cast<std::uint64_t>(product);
}

/// All that the sparsification of one bucket keeps from step to step but for the vectors, in the executor's
/// memory. Trivially copyable, to be saved and restored as it is.
struct ThresholdState {
  double density = 0.01;         // rho of the next step
  double adapted_density = 0.0;  // what the adaptation belongs to; another density or size restarts it
  std::uint64_t adapted_size = 0;
  StageAdaptation adaptation = {};

  double reused_threshold = 0.0;
  std::uint32_t reuse_age = 0;     // steps since it was estimated
  std::uint32_t has_reusable = 0;  // not 0: there is one

  double quality_sum = 0.0;  // of a fixed number of stages
  std::uint32_t quality_calls = 0;
  std::uint32_t collapsed = 0;  // not 0: the mean quality of the last 20 calls was not within [0.2, 5]

  std::uint64_t step = 0;              // that were not skipped
  std::uint64_t non_finite_steps = 0;  // in which there was a NaN or an infinity
  std::uint64_t overflow = 0;          // in all steps
  std::uint32_t side = 0;              // of the two-sided views
  std::uint32_t reserved = 0;
  SparsifyStatistics last = {};

  static constexpr std::uint32_t quality_window = 20;
  static constexpr double least_quality = 0.2;
  static constexpr double most_quality = 5.0;

  /// Whether the next step may take the threshold of an earlier one.
  WEIR_HOST_DEVICE bool can_reuse(std::uint64_t size, ReuseConstants const& reuse) const {
    return reuse.interval != 0 && has_reusable != 0 && reuse_age < reuse.interval &&
           adapted_density == density && adapted_size == size;
  }

  /// Keeps a threshold for the next step, moved towards the one that would have had quality 1.
  WEIR_HOST_DEVICE void keep(double threshold, double quality, double gain, bool was_reused) {
    double const factor = quality > 0.0 ? exp(rounded_product(gain, ln(quality))) : 1.0;
    reused_threshold = rounded_product(threshold, factor);
    reuse_age = was_reused ? reuse_age + 1 : 1;
    has_reusable = 1;
  }

  /// Takes the quality of a call with a fixed number of stages.
  WEIR_HOST_DEVICE void watch(double quality) {
    quality_sum += quality;
    if (++quality_calls != quality_window) return;
    double const mean = quality_sum / quality_window;
    collapsed = least_quality <= mean && mean <= most_quality ? 0u : 1u;
    quality_sum = 0.0;
    quality_calls = 0;
  }

  /// Takes the quality of a call that has fitted a threshold.
  WEIR_HOST_DEVICE void learn(double quality, StageConstants const& stages) {
    if (stages.count == StageCount::adaptive) {
      adaptation.push(quality, stages, density);
    } else {
      watch(quality);
    }
  }

  /// Ends a step that was not skipped. `moves_side`: what it wrote is on the other side.
  WEIR_HOST_DEVICE void record(SparsifyStatistics const& statistics, bool moves_side) {
    last = statistics;
    overflow += statistics.overflow;
    ++step;
    if (moves_side) side ^= 1u;
  }

  /// Forgets what was learnt about other data: of another density or size.
  WEIR_HOST_DEVICE void restart_if_changed(std::uint64_t size, StageConstants const& stages) {
    if (adapted_density == density && adapted_size == size) return;
    adapted_density = density;
    adapted_size = size;
    adaptation = {};
    adaptation.first_ratio = stages.first_ratio;
    has_reusable = 0;
    reuse_age = 0;
    quality_sum = 0.0;
    quality_calls = 0;
    collapsed = 0;
  }
};

/// The state before the first step.
struct InitialiseThreshold {
  ThresholdState* state;
  double density;

  WEIR_HOST_DEVICE void operator()() const {
    *state = {};
    state->density = density;
  }
};

/// Sets the density of the steps that follow.
struct SetDensity {
  ThresholdState* state;
  double density;

  WEIR_HOST_DEVICE void operator()() const { state->density = density; }
};

}  // namespace weir::inline v1
