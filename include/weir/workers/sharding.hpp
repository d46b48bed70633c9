#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// A range of entries of an epoch's permutation.
struct SampleRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
  friend bool operator==(SampleRange const&, SampleRange const&) = default;
};

/// Samples taken step by step: in a step that starts at entry c, micro-batch u takes entries c + u * b to
/// c + (u + 1) * b, cut at the end of the epoch. Source: [iidp]
class StepMajorSharding {
 public:
  /// `samples` in an epoch, `global_batch` in a step. Errors: `ContractViolation` for a global batch of 0.
  StepMajorSharding(std::size_t samples, std::size_t global_batch, bool drop_last = false)
      : samples_(samples), global_batch_(global_batch), drop_last_(drop_last) {
    if (global_batch == 0) throw ContractViolation("StepMajorSharding: a global batch of 0 samples");
  }

  std::size_t steps() const {
    std::size_t const whole = samples_ / global_batch_;
    return drop_last_ || samples_ % global_batch_ == 0 ? whole : whole + 1;
  }

  /// The entries of all ranks in the step that starts at entry `consumed`; the next one starts at its end.
  /// Empty at the end of the epoch.
  SampleRange step(std::size_t consumed) const {
    std::size_t const begin = consumed < samples_ ? consumed : samples_;
    std::size_t const rest = samples_ - begin;
    std::size_t const end = begin + (global_batch_ < rest ? global_batch_ : rest);
    bool const is_dropped = drop_last_ && end - begin < global_batch_;
    return {begin, is_dropped ? begin : end};
  }

 private:
  std::size_t samples_;
  std::size_t global_batch_;
  bool drop_last_;
};

/// Samples in one slice per rank, for locality: rank g owns entries floor(n P_g / N) to floor(n P_{g+1} / N),
/// where P_g counts the micro-batches of the ranks before it and N those of all, and consumes them in pieces
/// of its micro-batches times b. Source: [iidp], whose float shares could sum to more than n.
class RankMajorSharding {
 public:
  /// `micro_batches` per step, by rank. Errors: `ContractViolation` if they are all 0, for a local batch of
  /// 0, or if n N is 2^63 or more.
  RankMajorSharding(std::size_t samples, std::vector<std::size_t> micro_batches, std::size_t local_batch)
      : samples_(samples), local_batch_(local_batch), before_{0} {
    constexpr std::uint64_t limit = std::numeric_limits<std::int64_t>::max();
    for (std::size_t count : micro_batches) {
      if (count > limit - before_.back())
        throw ContractViolation("RankMajorSharding: the micro-batches of all ranks do not fit into 63 bits");
      before_.push_back(before_.back() + count);
    }
    if (before_.back() == 0) throw ContractViolation("RankMajorSharding: no rank has a micro-batch");
    if (local_batch == 0) throw ContractViolation("RankMajorSharding: a local batch of 0 samples");
    if (samples > limit / before_.back()) {
      throw ContractViolation("RankMajorSharding: " + std::to_string(samples) + " samples times " +
                              std::to_string(before_.back()) + " micro-batches do not fit into 63 bits");
    }
    // No micro-batch takes more than an epoch has, so that products with b stay below 2^63 too.
    if (samples < local_batch) local_batch_ = samples == 0 ? 1 : samples;
  }

  std::size_t ranks() const { return before_.size() - 1; }
  std::size_t steps() const {
    std::size_t const global_batch = before_.back() * local_batch_;
    return samples_ / global_batch + (samples_ % global_batch == 0 ? 0 : 1);
  }

  /// The same epoch with other shares, after `step` steps of it: before the first or after the last, since in
  /// between the new slices would repeat samples and leave others out.
  /// Errors: `ContractViolation` in between or beyond, and as the constructor.
  [[nodiscard]] RankMajorSharding resized(std::vector<std::size_t> micro_batches, std::size_t local_batch,
                                          std::size_t step) const {
    if (step != 0 && step != steps()) {
      throw ContractViolation("RankMajorSharding: new shares after step " + std::to_string(step) +
                              " of an epoch of " + std::to_string(steps()) +
                              " steps; they may change at its end only (StepMajorSharding: after any step)");
    }
    return {samples_, std::move(micro_batches), local_batch};
  }

  /// All that a rank consumes in an epoch.
  SampleRange slice(std::size_t rank) const { return {boundary(rank), boundary(rank + 1)}; }

  /// What a rank consumes in one step; micro-batch t of the rank takes entries t * b to (t + 1) * b of it,
  /// cut at its end.
  SampleRange piece(std::size_t rank, std::size_t step) const {
    SampleRange const all = slice(rank);
    std::size_t const size = (before_[rank + 1] - before_[rank]) * local_batch_;
    std::size_t const rest = all.end - all.begin;
    std::size_t const offset = size != 0 && step <= rest / size ? step * size : rest;
    return {all.begin + offset, all.begin + offset + (size < rest - offset ? size : rest - offset)};
  }

  /// Of all ranks in one step.
  std::size_t samples(std::size_t step) const {
    std::size_t count = 0;
    for (std::size_t rank = 0; rank < ranks(); ++rank) count += piece(rank, step).size();
    return count;
  }

 private:
  std::size_t boundary(std::size_t rank) const { return samples_ * before_[rank] / before_.back(); }

  std::size_t samples_;
  std::size_t local_batch_;
  std::vector<std::size_t> before_;  // by rank
};

}  // namespace weir::inline v1
