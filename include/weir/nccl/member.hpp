#pragma once

#include <nccl.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/mismatch.hpp"
#include "weir/comm/operation_log.hpp"
#include "weir/comm/options.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/cuda/capture.hpp"
#include "weir/cuda/device_guard.hpp"
#include "weir/cuda/device_stream_executor.hpp"
#include "weir/cuda/pinned_memory.hpp"
#include "weir/nccl/error.hpp"
#include "weir/nccl/failure.hpp"
#include "weir/nccl/known_operations.hpp"
#include "weir/nccl/stream_watch.hpp"
#include "weir/nccl/turn.hpp"
#include "weir/nccl/wait_until_made.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1::detail {

/// One rank of an `NcclCommunicator`: its ncclComm_t, what was enqueued on it, and why it failed.
///
/// All calls on the ncclComm_t are made under one mutex, which is not held while waiting.
class NcclMember {
 public:
  NcclMember(ncclComm_t handle, bool is_owner, CommOptions const& options)
      : options_(options),
        handle_(handle),
        is_owner_(is_owner),
        rank_(static_cast<std::size_t>(ask(handle, ncclCommUserRank, "ncclCommUserRank"))),
        size_(static_cast<std::size_t>(ask(handle, ncclCommCount, "ncclCommCount"))),
        device_(ask(handle, ncclCommCuDevice, "ncclCommCuDevice")),
        watch_(device_),
        fingerprints_(PinnedMemory{}, size_) {}

  NcclMember(NcclMember const&) = delete;
  NcclMember& operator=(NcclMember const&) = delete;

  ~NcclMember() {
    if (!is_owner_ || handle_ == nullptr) return;
    try {
      DeviceGuard const guard(device_);
      close();
    } catch (std::exception const&) {  // the driver or its context is gone, and NCCL's memory with it
    }
  }

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return size_; }
  int device() const { return device_; }
  ncclComm_t handle() {
    std::lock_guard const lock(mutex_);
    return handle_;
  }
  bool is_aborted() const { return is_aborted_.load(std::memory_order_acquire); }

  /// Takes the memory that fingerprints are gathered in.
  template <DeviceStreamExecutor E>
  void reserve(E const& executor) {
    if (gathered_ != nullptr) return;
    using Memory = Buffer<Fingerprint, E>;
    auto memory = std::make_shared<Memory>(executor, size_);
    gathered_ = std::shared_ptr<Fingerprint>(memory, memory->data());
  }

  /// Calls `call(handle, stream)`, which enqueues what all ranks do, after they have agreed on it.
  template <DeviceStreamExecutor E, class Call>
  void collective(E const& executor, Fingerprint const& mine, char const* name, Call const& call) {
    issue(executor, mine, collectives_, name, call, [&](cudaStream_t stream, Fingerprint const& numbered) {
      reserve(executor);
      agree(stream, numbered);
    });
  }

  /// The same for what only some ranks take part in, which do not compare it.
  template <DeviceStreamExecutor E, class Call>
  void exchange(E const& executor, Fingerprint const& mine, char const* name, Call const& call) {
    issue(executor, mine, exchanges_, name, call, [](cudaStream_t, Fingerprint const&) {});
  }

  /// Watches what `enqueue()` appends to the stream as if it were one operation, the latest that was
  /// captured.
  template <DeviceStreamExecutor E, class Enqueue>
  void watch(E const& executor, Enqueue const& enqueue_all) {
    NcclTurn const turn(is_busy_, captured_.operation, rank_);
    DeviceGuard const guard(device_);
    cudaStream_t const stream = executor.stream();
    {
      std::lock_guard const lock(mutex_);
      failure_check();
      watch_.begin(stream, captured_);
    }
    try {
      enqueue_all();
    } catch (...) {
      end_watch(stream);
      throw;
    }
    end_watch(stream);
  }

  /// Whether everything watched has ended. Never waits. Errors: what has made the
  /// communicator unusable, also what is found out now.
  bool poll() {
    CaptureTolerance const tolerance;
    std::lock_guard const lock(mutex_);
    failure_check();
    ncclResult_t asynchronous = ncclSuccess;
    ncclResult_t const code = ncclCommGetAsyncError(handle_, &asynchronous);
    fail_unless_good(code != ncclSuccess ? code : asynchronous, "ncclCommGetAsyncError");
    auto const state = look();
    if (state == StreamWatch::State::overdue)
      fail_timeout(*watch_.oldest(), "began on this rank and did not end");
    return state == StreamWatch::State::idle;
  }

  std::optional<Fingerprint> oldest() {
    std::lock_guard const lock(mutex_);
    return watch_.oldest();
  }

  void abort() noexcept {
    std::unique_lock const lock = lock_in_time();
    fail(NcclFailure::aborted(rank_));
  }

  std::shared_ptr<NcclMember> split(int color, int key) {
    NcclTurn const turn(is_busy_, CommOperation::split, rank_);
    DeviceGuard const guard(device_);
    Fingerprint mine;
    mine.operation = CommOperation::split;
    mine.sequence = ++collectives_;
    auto made = std::make_unique<ncclComm_t>(nullptr);
    try {
      std::unique_lock lock(mutex_);
      failure_check();
      log_.add(mine);
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;
      finish(lock, ncclCommSplit(handle_, color, key, made.get(), &config), mine, "ncclCommSplit");
    } catch (...) {
      (void)made.release();  // NCCL may still write to it
      throw;
    }
    wait_until_made(*made, "ncclCommSplit", options_);
    return std::make_shared<NcclMember>(*made, true, options_);
  }

 private:
  using Lock = std::unique_lock<std::mutex>;
  static constexpr std::chrono::microseconds patience{20};

  static int ask(ncclComm_t handle, ncclResult_t (*question)(ncclComm_t, int*), char const* call) {
    if (handle == nullptr) throw ContractViolation("a null ncclComm_t is no communicator");
    int answer = 0;
    check_nccl(question(handle, &answer), call, handle);
    return answer;
  }

  /// Without the mutex; the caller holds it for the function below.
  void check() {
    std::lock_guard const lock(mutex_);
    failure_check();
  }
  void failure_check() const {
    if (failure_.kind != NcclFailure::Kind::none) failure_.raise();
  }

  template <class E, class Call, class Prepare>
  void issue(E const& executor, Fingerprint mine, std::uint64_t& issued, char const* name, Call const& call,
             Prepare const& prepare) {
    NcclTurn const turn(is_busy_, mine.operation, rank_);
    DeviceGuard const guard(device_);
    cudaStream_t const stream = executor.stream();
    bool const is_captured = v1::is_capturing(stream);
    check();
    mine.sequence = issued + 1;
    if (!known_.contains(mine)) {
      refuse_unknown(mine, is_captured);
      prepare(stream, mine);
      known_.add(mine);
    }
    ++issued;
    enqueue(stream, is_captured, mine, name, call);
  }

  static void refuse_unknown(Fingerprint const& mine, bool is_captured) {
    if (!is_captured) return;
    throw NotCapturable("cannot capture " + mine.text() +
                        ", which the ranks have not done before: run the step once before the capture");
  }

  /// Compares what all ranks are about to do. Waits for them.
  void agree(cudaStream_t stream, Fingerprint const& mine) {
    Fingerprint* const host = fingerprints_.data();
    Fingerprint* const device = gathered_.get();
    host[rank_] = mine;
    Fingerprint question = mine;
    question.operation = CommOperation::agree;
    enqueue(stream, false, question, "ncclAllGather", [&](ncclComm_t handle, cudaStream_t) {
      check_cuda(cudaMemcpyAsync(device + rank_, host + rank_, sizeof(mine), cudaMemcpyHostToDevice, stream),
                 "cudaMemcpyAsync");
      return ncclAllGather(device + rank_, device, sizeof(mine), ncclUint8, handle, stream);
    });
    check_cuda(cudaMemcpyAsync(host, device, size_ * sizeof(mine), cudaMemcpyDeviceToHost, stream),
               "cudaMemcpyAsync");
    watch_copy(stream, question);
    while (!poll()) std::this_thread::sleep_for(patience);
    auto const mismatch = find_mismatch(
        rank_, size_, [&](std::size_t rank) { return host[rank]; }, &log_);
    if (mismatch.empty()) return;
    std::lock_guard const lock(mutex_);
    // Nothing is under way, and another rank may still be reading: no reason to abort.
    failure_ = {NcclFailure::Kind::mismatch, mismatch, mine, {}};
    failure_check();
  }

  void end_watch(cudaStream_t stream) {
    std::lock_guard const lock(mutex_);
    watch_.end(stream);
  }

  void watch_copy(cudaStream_t stream, Fingerprint const& operation) {
    std::lock_guard const lock(mutex_);
    watch_.begin(stream, operation);
    watch_.end(stream);
  }

  template <class Call>
  void enqueue(cudaStream_t stream, bool is_captured, Fingerprint const& mine, char const* name,
               Call const& call) {
    Lock lock(mutex_);
    failure_check();
    log_.add(mine);
    if (is_captured) captured_ = mine;
    if (!is_captured) watch_.begin(stream, mine);
    finish(lock, call(handle_, stream), mine, name);
    if (!is_captured) watch_.end(stream);
  }

  /// Waits until NCCL has accepted a call that it has begun.
  void finish(Lock& lock, ncclResult_t state, Fingerprint const& mine, char const* name) {
    auto const end = options_.give_up_time();
    for (int turn = 0; state == ncclInProgress; ++turn) {
      ncclResult_t const code = ncclCommGetAsyncError(handle_, &state);
      if (code != ncclSuccess) state = code;
      if (state != ncclInProgress) break;
      if (StreamWatch::Clock::now() >= end) fail_timeout(mine, std::string(name) + " was not accepted");
      lock.unlock();
      turn < 100 ? std::this_thread::yield() : std::this_thread::sleep_for(patience);
      lock.lock();
      failure_check();  // someone may have aborted
    }
    fail_unless_good(state, name);
  }

  // The following are called with the mutex held.

  StreamWatch::State look() { return watch_.look(StreamWatch::Clock::now(), options_.deadline); }

  void fail_unless_good(ncclResult_t result, char const* call, Where where = Where::here()) {
    if (result == ncclSuccess || result == ncclInProgress) return;
    fail({NcclFailure::Kind::nccl, NcclError::describe(result, call, handle_, where), {}, result});
    failure_check();
  }

  void fail_timeout(Fingerprint const& operation, std::string const& what) {
    fail({NcclFailure::Kind::timeout,
          what + " within " + std::to_string(options_.deadline.count()) +
              " ms: a rank did not come. The last operations of this rank, oldest first:" + log_.text(),
          operation,
          {}});
    failure_check();
  }

  /// The first failure stays.
  void fail(NcclFailure failure) noexcept {
    if (failure_.kind != NcclFailure::Kind::none) return;
    failure_ = std::move(failure);
    is_aborted_.store(true, std::memory_order_release);
    ncclCommAbort(std::exchange(handle_, nullptr));
  }

  /// A blocking NCCL call on another thread holds the mutex, and only an abort ends it.
  Lock lock_in_time() noexcept {
    Lock lock(mutex_, std::defer_lock);
    auto const end = options_.give_up_time();
    while (!lock.try_lock() && StreamWatch::Clock::now() < end) std::this_thread::sleep_for(patience);
    return lock;
  }

  /// Lets what was enqueued end, and ends the communicator with it; or aborts it.
  void close() {
    auto const end = options_.give_up_time();
    bool is_done = false;
    try {
      while (!(is_done =
                   failure_.kind == NcclFailure::Kind::none ? poll() : look() == StreamWatch::State::idle) &&
             StreamWatch::Clock::now() < end) {
        std::this_thread::sleep_for(patience);
      }
    } catch (CudaError const&) {
      return;
    } catch (std::exception const&) {
    }
    if (handle_ == nullptr) return;
    ncclResult_t state = is_done ? ncclCommFinalize(handle_) : ncclInternalError;
    while (state == ncclInProgress && StreamWatch::Clock::now() < end) {
      std::this_thread::sleep_for(patience);
      ncclResult_t const code = ncclCommGetAsyncError(handle_, &state);
      if (code != ncclSuccess) state = code;
    }
    state == ncclSuccess ? ncclCommDestroy(handle_) : ncclCommAbort(handle_);
  }

  CommOptions options_;
  std::mutex mutex_;
  ncclComm_t handle_;
  bool is_owner_;
  std::size_t rank_;
  std::size_t size_;
  int device_;
  StreamWatch watch_;
  OperationLog log_;
  Fingerprint captured_;  // the latest
  NcclFailure failure_;
  std::atomic<bool> is_aborted_ = false;
  std::atomic<bool> is_busy_ = false;
  std::uint64_t collectives_ = 0;  // this and the following: the issuing thread's
  std::uint64_t exchanges_ = 0;
  KnownOperations known_;
  Buffer<Fingerprint, PinnedMemory> fingerprints_;
  std::shared_ptr<Fingerprint> gathered_;
};

}  // namespace weir::inline v1::detail
