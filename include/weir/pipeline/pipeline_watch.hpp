#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/pipeline_transport.hpp"
#include "weir/core/clock.hpp"
#include "weir/pipeline/doorbell.hpp"
#include "weir/pipeline/pipeline_error.hpp"
#include "weir/pipeline/pipeline_program.hpp"

namespace weir::inline v1::detail {

/// Thrown to unwind a worker when the run has failed elsewhere.
struct PipelineStopped {};

/// What a worker of a pipeline waits for.
enum class WorkerWait : std::uint8_t { nothing, message, room, weights };

/// What the workers of a pipeline are at, how they wait, and the first failure of a run.
///
/// Who waits is also who notices that nothing goes on any more: there is no thread for that.
class PipelineWatch {
 public:
  /// With an interval, who waits looks again after it: not all changes are rung for.
  PipelineWatch(std::size_t workers, std::chrono::milliseconds patience,
                std::chrono::microseconds interval = {}, LaneMap const* lanes = nullptr)
      : patience_(patience), interval_(interval), lanes_(lanes) {
    while (workers_.size() < workers) workers_.push_back(std::make_unique<Worker>());
  }

  std::size_t workers() const { return workers_.size(); }
  Doorbell& bell(std::size_t worker) { return workers_[worker]->bell; }

  /// The operation that a worker begins; it stays until the next one.
  void enter(std::size_t worker, Operation const& operation) noexcept {
    workers_[worker]->operation.store(&operation, std::memory_order_relaxed);
  }
  void leave(std::size_t worker) noexcept {
    auto& done = workers_[worker]->done;
    done.store(done.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// Also after a wait that an error has ended.
  void rest(std::size_t worker) noexcept {
    workers_[worker]->waits_for.store(WorkerWait::nothing);
    workers_[worker]->operation.store(nullptr);
  }

  /// What a worker does again and again while it waits. It may ring any bell.
  void set_errand(void* whose, void (*errand)(void* whose, std::size_t worker)) noexcept {
    whose_ = whose;
    errand_ = errand;
  }

  /// Blocks until `is_over()`, which is not called again once it was true.
  /// Errors: `PipelineStopped` if the run has failed, also because nothing went on for too long; what the
  /// errand throws.
  template <class IsOver>
  void wait(std::size_t worker, WorkerWait what, PipelineEdge const* edge, IsOver const& is_over) {
    if (is_over()) return;
    Worker& self = *workers_[worker];
    self.edge.store(edge, std::memory_order_relaxed);
    self.waits_for.store(what, std::memory_order_release);
    bool has_come = false;
    auto const is_ended = [&] { return is_stopped() || (has_come = is_over()); };
    auto const run_errand = [&] {
      if (errand_ != nullptr && !is_stopped()) errand_(whose_, worker);
    };
    auto end = std::chrono::steady_clock::now() + patience_;
    for (std::uint64_t seen = done();;) {
      auto const next = std::chrono::steady_clock::now() + interval_;
      bool const is_short = interval_.count() != 0 && next < end;
      if (self.bell.wait_until(is_short ? next : end, is_ended, run_errand)) break;
      if (is_short) continue;
      std::uint64_t const now = done();
      if (now == seen) fail(std::make_exception_ptr(stalled(worker)));
      seen = now;
      end = std::chrono::steady_clock::now() + patience_;
    }
    self.waits_for.store(WorkerWait::nothing, std::memory_order_release);
    if (!has_come) throw PipelineStopped{};
  }

  /// The failure of what a worker is at. Called in a handler.
  void fail_at(std::size_t worker) noexcept {
    Operation const* const operation = workers_[worker]->operation.load();
    fail(std::make_exception_ptr(
        PipelineError(worker, operation != nullptr ? *operation : Operation{}, std::current_exception())));
  }

  /// The first failure stays; all workers leave. Null: the failure is known elsewhere.
  void fail(std::exception_ptr failure) noexcept {
    {
      std::lock_guard const lock(mutex_);
      if (!is_stopped()) failure_ = std::move(failure);
      is_stopped_.store(true, std::memory_order_release);
    }
    for (auto const& worker : workers_) worker->bell.ring();
  }

  bool is_stopped() const noexcept { return is_stopped_.load(std::memory_order_acquire); }

  std::exception_ptr take_failure() noexcept {
    std::lock_guard const lock(mutex_);
    return std::exchange(failure_, nullptr);
  }

  void reset() noexcept {
    std::lock_guard const lock(mutex_);
    failure_ = nullptr;
    is_stopped_ = false;
  }

 private:
  struct alignas(64) Worker {
    std::atomic<std::uint64_t> done = 0;  // operations
    std::atomic<Operation const*> operation = nullptr;
    std::atomic<PipelineEdge const*> edge = nullptr;
    std::atomic<WorkerWait> waits_for = WorkerWait::nothing;
    Doorbell bell;
  };

  std::uint64_t done() const noexcept {
    std::uint64_t sum = 0;
    for (auto const& worker : workers_) sum += worker->done.load(std::memory_order_relaxed);
    return sum;
  }

  PipelineStalled stalled(std::size_t worker) const {
    std::string text = "nothing has gone on for " + std::to_string(patience_.count()) + " ms";
    for (std::size_t i = 0; i < workers_.size(); ++i) text += "; worker " + std::to_string(i) + what_of(i);
    Operation const* const operation = workers_[worker]->operation.load();
    return {worker, operation != nullptr ? *operation : Operation{}, text};
  }

  std::string what_of(std::size_t index) const {
    if (lanes_ != nullptr && !lanes_->has_worker(static_cast<std::uint32_t>(index)))
      return " is in another process";
    Worker const& worker = *workers_[index];
    Operation const* const operation = worker.operation.load();
    if (operation == nullptr) return " has finished";
    std::string const cell = " at " + cell_text(*operation);
    PipelineEdge const* const edge = worker.edge.load();
    switch (worker.waits_for.load(std::memory_order_acquire)) {
      case WorkerWait::message:
        return cell + " waits for a message on " + text(*edge);
      case WorkerWait::room:
        return cell + " waits for room on " + text(*edge);
      case WorkerWait::weights:
        return cell + " waits for its weights to be updated";
      case WorkerWait::nothing:
        break;
    }
    return cell + " is computing";
  }

  std::chrono::milliseconds patience_;
  std::chrono::microseconds interval_;
  LaneMap const* lanes_;
  void* whose_ = nullptr;
  void (*errand_)(void*, std::size_t) = nullptr;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::mutex mutex_;
  std::atomic<bool> is_stopped_ = false;
  std::exception_ptr failure_;
};

}  // namespace weir::inline v1::detail
