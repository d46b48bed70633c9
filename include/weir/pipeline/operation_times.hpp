#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/clock.hpp"
#include "weir/pipeline/pipeline_run.hpp"

namespace weir::inline v1::detail {

/// When the operations of a table began and ended in its latest run; of none unless `resize` was called.
/// Units: nanoseconds from the begin of the run.
class OperationTimes {
 public:
  void resize(std::size_t operations) {
    begins_.resize(operations);
    ends_.resize(operations);
  }

  std::int64_t now(PipelineRun const& run) const {
    if (begins_.empty() || run.is_evaluation) return 0;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - run.begin)
        .count();
  }

  /// Of `count` operations that began together and end now.
  void keep(PipelineRun const& run, std::int64_t begin, std::size_t position, std::size_t count) {
    if (begins_.empty() || run.is_evaluation) return;
    std::int64_t const end = now(run);
    for (std::size_t i = position; i < position + count; ++i) {
      begins_[i] = begin;
      ends_[i] = end;
    }
  }

  std::vector<std::int64_t> const& begins() const { return begins_; }
  std::vector<std::int64_t> const& ends() const { return ends_; }

 private:
  std::vector<std::int64_t> begins_;  // by operation
  std::vector<std::int64_t> ends_;
};

}  // namespace weir::inline v1::detail
