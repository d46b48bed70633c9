#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/stage/bucket_ledger.hpp"
#include "weir/stage/form.hpp"

namespace weir::inline v1 {

/// What the workers have reported of a step: their shares of each bucket, the events after which these may be
/// read, and which buckets are complete.
template <Executor E, class Real>
class StepReports {
 public:
  StepReports(E const& stream, std::size_t buckets, std::size_t workers)
      : buckets_(buckets), workers_(workers), ledger_(buckets + 1, workers), shares_(buckets * workers) {
    present_.resize(shares_.size());
    for (std::size_t i = 0; i < (buckets + 1) * workers; ++i) marks_.push_back(stream.make_event());
  }

  std::size_t workers() const { return workers_; }
  /// The ledger's last entry: the end of a worker's function.
  std::size_t tail() const { return buckets_; }

  /// Keeps a worker's share; none if its stages held it back.
  void keep(WorkerGradient<E> const& reported, std::optional<WorkerGradient<E>> const& share) {
    std::size_t const at = reported.bucket * workers_ + reported.worker;
    present_[at] = share.has_value();
    if (share) shares_[at] = {share->values, share->samples, share->weight, share->is_mean};
    reported.executor.record(marks_[at]);
  }

  void finish(E const& point, std::size_t worker) { point.record(marks_[tail() * workers_ + worker]); }

  /// Counts the report; calls `hand_out(bucket)` for each bucket that has become due, in bucket order.
  template <class HandOut>
  void arrive(std::size_t bucket, HandOut hand_out) {
    ledger_.arrive(bucket, hand_out);
  }

  void wait_for_workers(E const& point, std::size_t bucket) const {
    for (std::size_t worker = 0; worker < workers_; ++worker) point.wait(marks_[bucket * workers_ + worker]);
  }

  /// The shares of all workers; nothing if all were held back.
  /// Errors: `ContractViolation` if only some were.
  std::optional<PerWorkerGradient<E, Real>> gather(E const& point, std::size_t bucket,
                                                   StepInfo const& step) const {
    PerWorkerGradient<E, Real> gradient{point, {&shares_[bucket * workers_], workers_}, bucket, 0, step};
    std::size_t present = 0;
    for (std::size_t worker = 0; worker < workers_; ++worker) {
      present += present_[bucket * workers_ + worker];
      gradient.samples += gradient.shares[worker].samples;
    }
    if (present == 0) return std::nullopt;
    if (present != workers_) throw ContractViolation("a stage let some workers pass and held back others");
    return gradient;
  }

 private:
  std::size_t buckets_;
  std::size_t workers_;
  BucketLedger ledger_;
  std::vector<WorkerShare<E>> shares_;  // by bucket and worker; each is written by that worker only
  std::vector<std::uint8_t> present_;
  std::vector<typename E::event_type> marks_;  // by bucket and worker; the last row: the worker has finished
};

}  // namespace weir::inline v1
