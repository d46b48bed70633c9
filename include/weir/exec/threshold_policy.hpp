#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/exec/tail_statistics.hpp"

// A threshold policy says which slots of a bucket are sent. It is a small trivially copyable struct with a
// `name` and functions for host and device; the functions that it has say how it works. A policy of one's own
// needs `fit`, or anything else that is listed here. One with parameters tells them to a checkpoint by
// `text()`, which takes the place of the name there.

namespace weir::inline v1 {

namespace detail {
template <class P>
concept PolicyOfThresholds = std::is_trivially_copyable_v<P> && requires {
  { P::name } -> std::convertible_to<char const*>;
};
}  // namespace detail

/// Computes the threshold from what is known of the magnitudes: `fit(tail, ratio)` is the value that this
/// part of the participants exceeds, 0 < ratio < 1.
template <class P>
concept FittedThreshold = detail::PolicyOfThresholds<P> &&
    requires(P const& policy, TailStatistics const& tail) {
  { policy.fit(tail, 0.5) } -> std::same_as<double>;
};

/// Can be refined in stages: `fit_excess(tail, ratio)` is the value that this part of the excesses over the
/// threshold before exceeds, counted from that threshold.
template <class P>
concept StagedThreshold = FittedThreshold<P> && requires(P const& policy, TailStatistics const& tail) {
  { policy.fit_excess(tail, 0.5) } -> std::same_as<double>;
};

/// Takes the k largest magnitudes, or some more or fewer: at most `tolerance(k)` of them, which saves looking
/// closer. With `is_exact` there is no tolerance, and the threshold is the smallest magnitude that is taken.
template <class P>
concept RankedThreshold = detail::PolicyOfThresholds<P> && requires(P const& policy) {
  { policy.tolerance(std::uint64_t{}) } -> std::same_as<std::uint64_t>;
  { P::is_exact } -> std::convertible_to<bool>;
};

/// What a policy that tries thresholds knows: of all finite elements, zeros included.
struct TrialData {
  std::uint64_t size = 0;
  std::uint64_t k = 0;
  double density = 0.0;
  double mean = 0.0;       // of the magnitudes, as the following two
  double deviation = 0.0;  // the root of the unbiased variance
  double largest = 0.0;
  double sampled = 0.0;  // the order statistic that `sample` asked for
};

/// A threshold on trial, and what a policy remembers of those before.
struct Trial {
  double threshold = 0.0;  // rounded to the accumulator's type before it is used
  double low = 0.0;
  double high = 0.0;
  std::uint32_t count = 0;  // of trials before this one
};

enum class TrialVerdict : std::uint32_t {
  accept,  // select what exceeds the threshold that was counted
  retry,   // count again, with the threshold that the policy has put into the trial
  take,    // select what exceeds the threshold in the trial, without counting
  exact,   // take the k largest instead
};

/// Tries thresholds and counts what exceeds them: `start(data, trial)` sets the first one,
/// `judge(data, trial, count)` says what to do.
template <class P>
concept TriedThreshold = detail::PolicyOfThresholds<P> &&
    requires(P const& policy, TrialData const& data, Trial& trial) {
  { policy.start(data, trial) } -> std::same_as<TrialVerdict>;
  { policy.judge(data, trial, std::uint64_t{}) } -> std::same_as<TrialVerdict>;
};

/// One slot is drawn from each of `size` strides of equal length, and the `rank`-th largest magnitude of them
/// is wanted. Beyond rank 4,096 of more than half of the bucket, the k largest are taken instead.
struct SampleRequest {
  std::uint64_t size = 0;
  std::uint64_t rank = 0;
};

/// Tries thresholds, the first of them from a sample.
template <class P>
concept SampledThreshold = TriedThreshold<P> && requires(P const& policy, TrialData const& data) {
  { policy.sample(data) } -> std::same_as<SampleRequest>;
};

/// Draws k slots by chance, the same on all ranks, or as many as there is room for; `factor(size, drawn)`
/// multiplies the values.
template <class P>
concept RandomSlots = detail::PolicyOfThresholds<P> && requires(P const& policy) {
  { policy.factor(std::uint64_t{}, std::uint64_t{}) } -> std::same_as<double>;
};

/// Selects nothing: everything goes into the residual, from where `take_at` fetches what others choose.
template <class P>
concept DefersSelection = detail::PolicyOfThresholds<P> && requires {
  { P::selects_nothing } -> std::convertible_to<bool>;
};

/// Sends every slot that is not zero.
template <class P>
concept SelectsEverything = detail::PolicyOfThresholds<P> && requires {
  { P::selects_everything } -> std::convertible_to<bool>;
};

template <class P>
concept ThresholdPolicy = FittedThreshold<P> || RankedThreshold<P> || TriedThreshold<P> || RandomSlots<P> ||
    DefersSelection<P> || SelectsEverything<P>;

/// What the first pass over the data has to find out for a policy, besides smallest, largest and counts.
template <class P>
inline constexpr bool needs_moments = FittedThreshold<P> || TriedThreshold<P>;
template <class P>
inline constexpr bool needs_logarithms = requires {
  requires bool(P::uses_logarithms);
}
|| (FittedThreshold<P> && !requires { P::uses_logarithms; });

}  // namespace weir::inline v1
