#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::inline v1 {

/// Counts which workers have reported which bucket, and hands out complete buckets in bucket order.
///
/// Nobody waits: the last worker of a bucket either hands it out, with every later one that is complete too,
/// or, if another thread is just handing out, leaves it to that thread. After the last bucket everything
/// starts again.
class BucketLedger {
 public:
  BucketLedger(std::size_t buckets, std::size_t workers)
      : workers_(static_cast<std::uint32_t>(workers)), entries_(buckets) {
    for (Entry& entry : entries_) entry.missing.store(workers_, std::memory_order_relaxed);
  }

  /// One worker has reported `bucket`. Calls `hand_out(bucket)` for each that has become due, one call at a
  /// time.
  template <class HandOut>
  void arrive(std::size_t bucket, HandOut hand_out) {
    Entry& entry = entries_[bucket];
    if (entry.missing.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    entry.complete.store(true, std::memory_order_release);

    std::uint32_t seen = 1;
    // If another thread is handing out, it will look again.
    if (notices_.fetch_add(1, std::memory_order_acq_rel) != 0) return;
    do {
      while (entries_[due_].complete.load(std::memory_order_acquire)) hand_out(take_due());
      // What was added since `seen` may be a bucket completed after the look above.
      std::uint32_t const before = notices_.fetch_sub(seen, std::memory_order_acq_rel);
      seen = before - seen;
    } while (seen != 0);
  }

 private:
  struct alignas(64) Entry {
    std::atomic<std::uint32_t> missing;
    std::atomic<bool> complete = false;
  };

  std::size_t take_due() {
    std::size_t const bucket = due_;
    // Safe before the hand-out: no worker reports this bucket again until the whole step has been handed out.
    entries_[bucket].complete.store(false, std::memory_order_relaxed);
    entries_[bucket].missing.store(workers_, std::memory_order_relaxed);
    due_ = (bucket + 1) % entries_.size();
    return bucket;
  }

  std::uint32_t const workers_;
  std::vector<Entry> entries_;
  std::size_t due_ = 0;
  std::atomic<std::uint32_t> notices_ = 0;
};

}  // namespace weir::inline v1
