#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "configuration.hpp"

namespace weir_train {

/// Which samples of an epoch each pipeline of a rank takes, and in which runs. Step by step they are those
/// that as many stream workers would take.
class PipelineShares {
 public:
  PipelineShares(Configuration const& c, std::size_t samples, std::size_t rank)
      : samples_(samples),
        global_batch_(c.global_batch()),
        share_(c.micro_batches * c.batch),
        batch_(c.batch),
        first_(rank * c.workers),
        pipelines_(c.workers * c.ranks),
        has_flush_(c.pipeline->schedule->traits.synchronous) {
    if (has_flush_) {
      steps_per_run_ = 1;
    } else if (c.pipeline->run != 0) {
      steps_per_run_ = c.pipeline->run / c.micro_batches;
    } else {
      // An epoch, if it fits.
      weir::ScheduleShape const full =
          c.pipeline->schedule->completed(c.pipeline->shape(c.micro_batches, c.micro_batches));
      std::size_t const cells = std::size_t{full.workers} * full.chunks * c.micro_batches;
      steps_per_run_ = std::clamp<std::size_t>(most_cells / cells, 1, steps());
    }
    steps_per_run_ = std::min(steps_per_run_, steps());
  }

  /// Updates in an epoch.
  std::size_t steps() const {
    std::size_t const whole = samples_ / global_batch_;
    std::size_t const rest = samples_ % global_batch_;
    // Without a flush all pipelines have to have as many updates.
    return whole + (rest == 0 || (!has_flush_ && rest < pipelines_) ? 0 : 1);
  }
  std::size_t runs() const { return (steps() + steps_per_run_ - 1) / steps_per_run_; }
  /// Of one pipeline.
  std::size_t micro_batches_per_run() const { return steps_per_run_ * (share_ / batch_); }

  /// The samples of pipeline `index` of this rank, step by step.
  std::vector<std::uint32_t> of(std::size_t index, std::span<std::uint32_t const> order) const {
    std::vector<std::uint32_t> samples;
    std::size_t const pipeline = first_ + index;
    for (std::size_t begin = 0; begin / global_batch_ < steps(); begin += global_batch_) {
      std::size_t const size = std::min(global_batch_, order.size() - begin);
      bool const is_shared_evenly = !has_flush_ && size < global_batch_ && pipelines_ > 1;
      std::size_t const from =
          is_shared_evenly ? size * pipeline / pipelines_ : std::min(pipeline * share_, size);
      std::size_t const to =
          is_shared_evenly ? size * (pipeline + 1) / pipelines_ : std::min(from + share_, size);
      samples.insert(samples.end(), order.begin() + static_cast<std::ptrdiff_t>(begin + from),
                     order.begin() + static_cast<std::ptrdiff_t>(begin + to));
    }
    return samples;
  }

  /// Where what a run takes of so many lies among them.
  struct Piece {
    std::size_t begin = 0;
    std::size_t size = 0;
    std::size_t size_of_all = 0;  // what the pipelines of all ranks take
    bool is_whole = true;         // as much as a run can, on all of them
  };
  Piece run(std::size_t samples, std::size_t number) const {
    std::size_t const size = steps_per_run_ * share_;
    std::size_t const begin = std::min(number * size, samples);
    std::size_t const used = std::min(samples_, steps() * global_batch_);
    std::size_t const size_of_all = std::min(size * pipelines_, used - number * size * pipelines_);
    return {begin, std::min(size, samples - begin), size_of_all, size_of_all == size * pipelines_};
  }
  /// What it takes at most.
  std::size_t samples_per_run() const { return steps_per_run_ * share_; }

 private:
  static constexpr std::size_t most_cells = std::size_t{1} << 18;  // of a table: stages times micro-batches

  std::size_t samples_;
  std::size_t global_batch_;
  std::size_t share_;  // of a pipeline in a step
  std::size_t batch_;
  std::size_t first_;  // of this rank, among the pipelines of all
  std::size_t pipelines_;
  bool has_flush_;
  std::size_t steps_per_run_ = 1;
};

}  // namespace weir_train
