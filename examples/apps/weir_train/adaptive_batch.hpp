#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "configuration.hpp"
#include "weir/plan/batch_controller.hpp"
#include "weir/plan/learning_rate.hpp"
#include "weir/plan/noise_scale.hpp"
#include "weir/plan/solve.hpp"
#include "weir/state/archive.hpp"

namespace weir_train {

/// Which batch the steps take, and at which learning rate: a batch that is small beside the noise of its
/// gradients grows, one that is large shrinks; the rate follows its root. All ranks that are given the same
/// measurements do the same.
///
/// The samples of a micro-batch stay as they are. A rank takes 1, 2, .., K of them side by side, and beyond
/// that 2 K, 3 K, .., one after another, by a tenth more or less at a time or by what is next. An epoch keeps
/// `steps_per_epoch` steps at least.
class AdaptiveBatch {
 public:
  static constexpr std::size_t steps_between_changes = 16;
  static constexpr std::size_t steps_per_epoch = 8;

  AdaptiveBatch(Configuration const& configuration, std::size_t samples)
      : model_(profile_of(configuration)),
        ranks_(configuration.ranks),
        most_workers_(configuration.workers),
        request_{.global_batch = configuration.global_batch(),
                 .unit = configuration.ranks,
                 .local_batch = configuration.batch,
                 .weight_sync = configuration.weight_sync},
        layout_{configuration.workers, configuration.micro_batches, configuration.batch},
        limits_{.low = configuration.batch * std::max<std::size_t>(2, ranks_),
                .high = std::max(request_.global_batch, samples / steps_per_epoch)},
        rate_{.base = configuration.learning_rate,
              .rule = weir::BatchScaling::square_root,
              .reference_batch = request_.global_batch} {
    std::size_t const of_one = request_.local_batch * ranks_;
    std::size_t const unit = limits_.high > of_one * most_workers_ ? of_one * most_workers_ : of_one;
    limits_.high -= limits_.high % unit;
  }

  std::size_t global_batch() const { return request_.global_batch; }
  /// Of each rank.
  weir::WorkLayout const& layout() const { return layout_; }
  /// For the batch that the steps take. A batch that comes back has the same one.
  double learning_rate() const { return rate_.at(0, request_.global_batch); }
  /// The batch at which noise and signal are equal, if that is known. Units: samples.
  std::optional<double> noise() const { return noise_.value(); }

  /// After each step; one that was not full has not been measured. Returns whether the batch is another one
  /// from now on.
  bool add(std::optional<weir::NoiseMeasurement> const& step) {
    if (step) noise_.add(*step);
    if (++steps_ < steps_between_changes) return false;
    auto const change = weir::change_by_noise(noise_.value(), request_.global_batch);
    auto const plan = plan_for(change);
    // Not to a batch that would change back.
    if (!plan || is_opposite(change, weir::change_by_noise(noise_.value(), plan->global_batch))) return false;
    request_.global_batch = plan->global_batch;
    layout_ = plan->ranks.front();
    steps_ = 0;
    return true;
  }

  void save(weir::Archive& archive) const {
    archive.put("weir-train.batch", 0,
                std::vector<std::uint64_t>{request_.global_batch, rate_.reference_batch, steps_});
    noise_.save(archive);
  }

  /// Goes on with the batch of the checkpoint, or one near it of these ranks and workers; the learning
  /// rate follows from the batch that it was given for. Does nothing if the batch did not adapt there.
  /// Errors: `ArchiveError`.
  void load(weir::Archive const& archive) {
    if (!archive.contains("weir-train.batch", 0)) return;
    auto const saved = archive.get<std::uint64_t>("weir-train.batch", 0, 3);
    noise_.load(archive);
    rate_.reference_batch = saved[1];
    steps_ = saved[2];
    request_.global_batch = nearest(saved[0]);
    layout_ = weir::solve(model_, request_).ranks.front();
  }

 private:
  /// The workers of a rank share its threads: a pass takes as long as all their micro-batches, and some time
  /// of its own. So the most workers are the fastest, on this machine and, for the same result, on any.
  static weir::Profile profile_of(Configuration const& configuration) {
    weir::LocalBatchProfile batch{.size = configuration.batch, .max_workers = configuration.workers};
    for (std::size_t workers = 1; workers <= configuration.workers; ++workers) {
      double const k = static_cast<double>(workers);
      batch.points.push_back({workers, 1, k, 2 * k, 0, 0});
    }
    weir::Profile profile{.rounding = weir::ProfileRounding::none, .buckets_mib = {1}};
    profile.intra = {.p = 0, .q = 0};
    profile.devices = {{"rank", {batch}}};
    profile.cluster = {{"here", "rank", configuration.ranks, 1, 1}};
    return profile;
  }

  static bool is_opposite(weir::BatchChange one, weir::BatchChange other) {
    return other != weir::BatchChange::keep && other != one;
  }

  /// All ranks have as many.
  std::size_t micro_batches_per_rank() const {
    return request_.global_batch / (request_.local_batch * ranks_);
  }

  std::optional<weir::Plan> plan_for(weir::BatchChange change) const {
    bool const shrinks = change == weir::BatchChange::shrink;
    std::size_t const count = micro_batches_per_rank();
    bool const is_side_by_side = shrinks ? count <= most_workers_ : count < most_workers_;
    std::size_t const tenth = count / most_workers_ / 10;
    std::size_t const by = is_side_by_side ? 1 : most_workers_ * std::max<std::size_t>(1, tenth);
    weir::BatchLimits limits = limits_;
    limits.rate = static_cast<double>(by) / static_cast<double>(count);
    return weir::change_batch(model_, request_, change, limits);
  }

  std::size_t nearest(std::size_t global_batch) const {
    std::size_t const of_one = request_.local_batch * ranks_;  // micro-batch on each rank
    std::size_t const least = (limits_.low + of_one - 1) / of_one;
    std::size_t const count = std::clamp((global_batch + of_one / 2) / of_one, least, limits_.high / of_one);
    return of_one * (count > most_workers_ ? count - count % most_workers_ : count);
  }

  weir::TimeModel model_;
  std::size_t ranks_;
  std::size_t most_workers_;
  weir::PlanRequest request_;
  weir::WorkLayout layout_;
  weir::BatchLimits limits_;
  weir::LearningRate rate_;
  weir::NoiseScale noise_{0.95};  // a step of few workers says little
  std::size_t steps_ = 0;         // since the batch has changed
};

}  // namespace weir_train
