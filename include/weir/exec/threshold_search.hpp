#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/special.hpp"
#include "weir/exec/magnitude_key.hpp"
#include "weir/exec/rank_search.hpp"
#include "weir/exec/scaled_tail.hpp"
#include "weir/exec/search_task.hpp"
#include "weir/exec/selection.hpp"
#include "weir/exec/shared_rank_search.hpp"
#include "weir/exec/staged_fit.hpp"
#include "weir/exec/tail_statistics.hpp"
#include "weir/exec/threshold_policy.hpp"
#include "weir/exec/threshold_state.hpp"

namespace weir::inline v1 {

/// Finds the slots that a policy sends, as a sequence of passes over the data: do what `task` says, call
/// `resume` with the answer, until the task is `finish`. Host and device run this very code.
template <class Policy, class Real>
class ThresholdSearch {
 public:
  SearchTask task = SearchTask::finish;
  double base = 0.0;
  double scale = 1.0;  // a power of two
  Real threshold = 0;
  RankQuery query = {};
  SampleRequest sample = {};
  SlotCut<Real> cut = {};
  std::uint64_t drawn = 0;
  double drawn_factor = 1.0;

  /// A threshold in the accumulator's type: rounded to nearest; infinity beyond the largest number.
  WEIR_HOST_DEVICE static Real rounded(double t) {
    constexpr double largest =
        static_cast<double>(MagnitudeKey<Real>::value(MagnitudeKey<Real>::infinity - 1));
    if (t > largest) return MagnitudeKey<Real>::value(MagnitudeKey<Real>::infinity);
    return static_cast<Real>(detail::usable_threshold(t));
  }

  /// After the first pass, which has found `tail` of the `size` elements. `shared` and `ranks`: the same of
  /// all ranks that share a threshold; `shared_rank`: what they have found already, or null. `is_void`: the
  /// step is to be skipped anyway. `has_moments`: of `tail`, more is known than counts, the largest, and the
  /// smallest or any other magnitude.
  WEIR_HOST_DEVICE void start(Policy const& policy, SparsifyConstants const& constants, ThresholdState& state,
                              std::uint64_t size, std::uint64_t capacity, TailStatistics const& tail,
                              TailStatistics const& shared, std::uint64_t ranks, bool is_void,
                              bool has_moments = true, SharedRankSearch<Real> const* shared_rank = nullptr) {
    *this = {};
    stages_ = constants.stages;
    reuse_ = constants.reuse;
    tail_ = tail;
    fitted_.tail = shared;
    ranks_ = ranks;
    capacity_ = capacity;
    has_moments_ = has_moments;
    status_ = SparsifyStatus::selected;
    size_ = size;
    bool const is_unusable = is_skipped(constants.non_finite, tail.non_finite);
    if (is_void || is_unusable) {
      status_ = is_unusable && constants.non_finite == NonFinitePolicy::error ? SparsifyStatus::failed
                                                                              : SparsifyStatus::skipped;
      if constexpr (RandomSlots<Policy>)
        draw(policy, slots_of(state.density, size));
      else
        task = SearchTask::finish;
      return;
    }
    state.restart_if_changed(size, constants.stages);
    k_target_ = slots_of(state.density, size);
    if constexpr (SelectsEverything<Policy>) k_target_ = size;
    density_ = state.density;
    first_ratio_ = constants.stages.count == StageCount::adaptive ? state.adaptation.first_ratio
                                                                  : constants.stages.first_ratio;
    fitted_stages_ =
        constants.stages.count == StageCount::adaptive ? state.adaptation.stages : constants.stages.stages;
    if constexpr (RandomSlots<Policy>) {
      k_ = k_target_;
      draw(policy, k_target_);
    } else {
      k_ = k_target_ > tail.non_finite ? k_target_ - tail.non_finite : 0;
      if constexpr (DefersSelection<Policy>) {
        defer();
      } else if (RankedThreshold<Policy> && shared_rank != nullptr) {
        follow(*shared_rank);
      } else if (!settle_degenerate()) {
        if (state.can_reuse(size, reuse_)) {
          is_reused_ = true;
          select_above(state.reused_threshold);
        } else {
          estimate(policy);
        }
      }
    }
  }

  /// The answers to the tasks of the same names.
  WEIR_HOST_DEVICE void resume_excess(Policy const& policy, TailStatistics const& excess) {
    if (is_rescaling_) {
      is_rescaling_ = false;
      fitted_.rescale(excess, scale);
      return estimate_from_moments(policy);
    }
    if constexpr (FittedThreshold<Policy>) go_on_fitting(fit_.resume(policy, excess));
  }

  WEIR_HOST_DEVICE void resume_moments(Policy const& policy, TailStatistics const& tail) {
    tail_ = tail;
    fitted_.tail = tail;
    has_moments_ = true;
    estimate(policy);
  }

  WEIR_HOST_DEVICE void resume_count(Policy const& policy, std::uint64_t count) {
    if constexpr (TriedThreshold<Policy>) {
      TrialVerdict const verdict = policy.judge(trial_data(), trial_, count);
      ++trial_.count;
      obey(verdict);
    }
  }

  WEIR_HOST_DEVICE void resume_sample(Policy const& policy, Real magnitude) {
    if constexpr (SampledThreshold<Policy>) {
      sampled_ = static_cast<double>(magnitude);
      obey(policy.start(trial_data(), trial_));
    }
  }

  WEIR_HOST_DEVICE void resume_rank(RankAnswer const& answer) {
    if (rank_search_.resume(answer)) {
      query = rank_search_.query;
    } else {
      select_cut(rank_search_.cut.threshold, rank_search_.cut.ties);
    }
  }

  /// `finite`: how many finite slots the cut has, whether or not there was room for them.
  WEIR_HOST_DEVICE void resume_select(Policy const& policy, std::uint64_t finite) {
    if (is_settled_) {
      finite_ = finite;
      return conclude(finite + cut.non_finite);
    }
    std::uint64_t const all = finite + tail_.non_finite;
    if (is_reused_) {
      double const quality = static_cast<double>(finite) / static_cast<double>(k_);
      if (!(0.5 <= quality && quality <= 2.0) || all > capacity_) {
        is_reused_ = false;
        return estimate(policy);
      }
    }
    if (finite == 0 && !is_forced_) {
      is_forced_ = true;
      Real const largest = static_cast<Real>(largest_of_all());
      if (!(cut.threshold < largest)) return select_cut(largest, 1);
    }
    finite_wanted_ = finite;
    if (all > capacity_) return cut_to_capacity(all);
    wanted_ = all;
    finite_ = finite;
    conclude(all);
  }

  WEIR_HOST_DEVICE void resume_draw() {
    finite_ = drawn;
    finite_wanted_ = drawn;
    conclude(drawn);
  }

  /// How many slots were written, and how many were wanted: what the header of the selection says.
  WEIR_HOST_DEVICE SelectionCounts counts() const { return {selected_, wanted_}; }
  WEIR_HOST_DEVICE bool commits() const { return status_ == SparsifyStatus::selected; }

  /// Moves the state of the bucket on.
  WEIR_HOST_DEVICE void finish(SparsifyConstants const& constants, ThresholdState& state) const {
    SparsifyStatistics last;
    last.status = status_;
    last.size = size_;
    last.participants = tail_.participants;
    last.non_finite = tail_.non_finite;
    if (tail_.non_finite != 0) ++state.non_finite_steps;
    if (!commits()) {
      state.last = last;
      return;
    }
    last.stages = is_reused_ ? 1 : fit_.stages;
    if constexpr (RankedThreshold<Policy>) {
      if (!Policy::is_exact && !is_degenerate_ && !is_reused_) last.stages = estimated_levels_;
    }
    last.has_threshold = RandomSlots<Policy> || DefersSelection<Policy> ? 0u : 1u;
    last.was_reused = is_reused_ ? 1u : 0u;
    last.k_target = k_target_;
    last.k_selected = selected_;
    last.overflow = wanted_ - selected_;
    last.threshold = reports_zero_ ? 0.0 : static_cast<double>(cut.threshold);
    if (k_target_ != 0) last.quality = static_cast<double>(selected_) / static_cast<double>(k_target_);
    state.record(last, constants.feedback == FeedbackKind::conserving);
    if (is_degenerate_ || k_ == 0 || RandomSlots<Policy> || DefersSelection<Policy>) {
      if (state.has_reusable != 0) ++state.reuse_age;
      return;
    }
    if (reuse_.interval != 0) keep_threshold(state);
    // What one rank selects of its own share says nothing about a threshold that ranks share.
    if (FittedThreshold<Policy> && !is_reused_ && ranks_ == 1) {
      state.learn(static_cast<double>(finite_wanted_) / static_cast<double>(k_), constants.stages);
    }
  }

 private:
  WEIR_HOST_DEVICE void select_cut(Real at, std::uint64_t ties) {
    cut = {at, ties, is_settled_ ? cut.non_finite : tail_.non_finite};
    task = SearchTask::select;
    if (!is_settled_) estimated_levels_ = rank_search_.levels;
  }
  WEIR_HOST_DEVICE void select_above(double t) {
    exact_threshold_ = t;
    select_cut(rounded(t), 0);
  }
  WEIR_HOST_DEVICE void select_nothing() {
    cut.threshold = MagnitudeKey<Real>::value(MagnitudeKey<Real>::infinity);
    cut.ties = 0;
    reports_zero_ = true;
    task = SearchTask::select;
  }

  WEIR_HOST_DEVICE void select_non_finite() {
    std::uint64_t const all = tail_.non_finite;
    wanted_ = all;
    settle(all < capacity_ ? all : capacity_);
    select_nothing();
  }

  /// Takes the cut of all ranks, even if there is nothing above it here.
  WEIR_HOST_DEVICE void follow(SharedRankSearch<Real> const& shared_rank) {
    if (shared_rank.selects_nothing()) return select_non_finite();
    is_forced_ = true;
    select_cut(shared_rank.cut().threshold, shared_rank.cut().ties);
    estimated_levels_ = shared_rank.levels();
  }

  WEIR_HOST_DEVICE void defer() {
    is_degenerate_ = true;
    k_target_ = 0;
    settle(0);
    select_nothing();
  }

  WEIR_HOST_DEVICE void draw(Policy const& policy, std::uint64_t slots) {
    // Not the largest of those drawn: the slots have to be the same on all ranks, whose magnitudes differ.
    drawn = slots < capacity_ ? slots : capacity_;
    wanted_ = slots;
    is_degenerate_ = true;
    drawn_factor = commits() ? policy.factor(size_, drawn) : 0.0;
    task = SearchTask::draw;
  }

  /// From here on the cut is final.
  WEIR_HOST_DEVICE void settle(std::uint64_t non_finite) {
    is_settled_ = true;
    cut.non_finite = non_finite;
  }

  /// How many finite ones all ranks that share a threshold are to send.
  WEIR_HOST_DEVICE std::uint64_t k_of_all() const {
    if (ranks_ == 1) return k_;
    std::uint64_t const wanted = ranks_ * k_target_;
    return wanted > fitted_.tail.non_finite ? wanted - fitted_.tail.non_finite : 0;
  }
  WEIR_HOST_DEVICE double largest_of_all() const {
    return ranks_ == 1 ? tail_.largest : fitted_.tail.largest;
  }

  WEIR_HOST_DEVICE bool settle_degenerate() {
    TailStatistics const& all = fitted_.tail;
    std::uint64_t const k = k_of_all();
    is_degenerate_ = true;
    if (k == 0 || all.participants == 0) {
      select_non_finite();
    } else if (all.participants <= k || SelectsEverything<Policy>) {
      select_cut(Real{0}, 0);
    } else if (all.smallest == all.largest) {
      is_forced_ = true;
      select_cut(static_cast<Real>(all.largest), k_);  // each rank its own share
    } else {
      is_degenerate_ = false;
    }
    return is_degenerate_;
  }

  WEIR_HOST_DEVICE void estimate(Policy const& policy) {
    if constexpr (RankedThreshold<Policy>) {
      find_rank(k_, policy.tolerance(k_), Policy::is_exact);
    } else if (!has_moments_) {
      task = SearchTask::moments;
    } else if (needs_scaling()) {
      scale = ScaledTail::scale_for(tail_.largest);
      base = 0.0;
      is_rescaling_ = true;
      task = SearchTask::excess;
    } else {
      estimate_from_moments(policy);
    }
  }

  WEIR_HOST_DEVICE void estimate_from_moments(Policy const& policy) {
    if constexpr (FittedThreshold<Policy>) {
      fit_first(policy);
    } else if constexpr (SampledThreshold<Policy>) {
      sample = policy.sample(trial_data());
      // Backends keep a handful of the largest where they have no room for the sample.
      bool const is_large = sample.size > size_ / 2 && sample.rank > 4096;
      if (is_large || sample.rank < 1 || sample.rank > sample.size || sample.size > size_) {
        return find_rank(k_, 0, true);
      }
      task = SearchTask::sample;
    } else if constexpr (TriedThreshold<Policy>) {
      obey(policy.start(trial_data(), trial_));
    }
  }

  WEIR_HOST_DEVICE bool needs_scaling() const {
    return sizeof(Real) == 8 && ranks_ == 1 && scale == 1.0 && ScaledTail::is_extreme(tail_.largest);
  }

  WEIR_HOST_DEVICE void fit_first(Policy const& policy) {
    double const ratio = static_cast<double>(k_of_all()) / static_cast<double>(fitted_.tail.participants);
    go_on_fitting(fit_.start(policy, fitted_, ratio, stages_, fitted_stages_, first_ratio_));
  }

  WEIR_HOST_DEVICE void go_on_fitting(bool needs_excess) {
    if (!needs_excess) return select_above(fit_.threshold);
    base = fit_.threshold;
    task = SearchTask::excess;
  }

  WEIR_HOST_DEVICE void find_rank(std::uint64_t rank, std::uint64_t tolerance, bool is_exact) {
    rank_search_.start(rank, tolerance, is_exact);
    query = rank_search_.query;
    task = SearchTask::rank;
  }

  WEIR_HOST_DEVICE TrialData trial_data() const {
    TrialData data;
    data.size = size_ - tail_.non_finite;
    data.k = k_;
    data.density = density_;
    fitted_.describe_all(data.size, data);
    data.largest = tail_.largest;
    data.sampled = sampled_;
    return data;
  }

  WEIR_HOST_DEVICE void obey(TrialVerdict verdict) {
    switch (verdict) {
      case TrialVerdict::retry:
        exact_threshold_ = trial_.threshold;
        threshold = rounded(trial_.threshold);
        task = SearchTask::count;
        return;
      case TrialVerdict::accept:
        return select_cut(threshold, 0);
      case TrialVerdict::take:
        return select_above(trial_.threshold);
      case TrialVerdict::exact:
        return find_rank(k_, 0, true);
    }
  }

  WEIR_HOST_DEVICE void cut_to_capacity(std::uint64_t all) {
    wanted_ = all;
    std::uint64_t const bad = tail_.non_finite < capacity_ ? tail_.non_finite : capacity_;
    std::uint64_t const room = capacity_ - bad;
    // Of a threshold that ranks share one may send more than its own part.
    std::uint64_t const finite = ranks_ == 1 && k_ < room ? k_ : room;
    settle(bad);
    if (finite == 0) return select_nothing();
    find_rank(finite, 0, true);
  }

  WEIR_HOST_DEVICE void conclude(std::uint64_t selected) {
    selected_ = selected;
    task = SearchTask::finish;
  }

  WEIR_HOST_DEVICE void keep_threshold(ThresholdState& state) const {
    double const quality = static_cast<double>(finite_) / static_cast<double>(k_);
    bool const is_estimate = rounded(exact_threshold_) == cut.threshold;
    state.keep(is_estimate ? exact_threshold_ : static_cast<double>(cut.threshold), quality, reuse_.gain,
               is_reused_);
  }

  RankSearch<Real> rank_search_ = {};
  StageConstants stages_ = {};
  ReuseConstants reuse_ = {};
  TailStatistics tail_ = {};
  ScaledTail fitted_ = {};   // of all ranks, where they share a threshold
  std::uint64_t ranks_ = 1;  // that share it
  std::uint64_t size_ = 0;
  std::uint64_t capacity_ = 0;
  std::uint64_t k_target_ = 0;
  std::uint64_t k_ = 0;  // for the finite ones
  std::uint64_t finite_wanted_ = 0;
  std::uint64_t finite_ = 0;
  std::uint64_t wanted_ = 0;
  std::uint64_t selected_ = 0;
  double density_ = 0.0;
  double first_ratio_ = 0.25;
  double sampled_ = 0.0;
  double exact_threshold_ = 0.0;
  Trial trial_ = {};
  StagedFit<Policy> fit_ = {};
  std::uint32_t fitted_stages_ = 1;
  std::uint32_t estimated_levels_ = 1;
  SparsifyStatus status_ = SparsifyStatus::none;
  bool is_degenerate_ = false;
  bool is_settled_ = false;
  bool is_reused_ = false;
  bool is_forced_ = false;
  bool reports_zero_ = false;
  bool is_rescaling_ = false;
  bool has_moments_ = true;
};

}  // namespace weir::inline v1
