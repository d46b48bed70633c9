#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weir/tensor/view.hpp"

// A stand-in for the CUDA runtime, for machines that have neither a GPU nor a driver.
//
// A program links it by compiling the .cpp files of this folder (but gpu_main.cpp, which is for a real GPU)
// and passing `-Wl,--wrap=<symbol>` for each line of wrapped_symbols.txt; it links no CUDA library. A unit
// that uses the verbs of CudaExecutor includes verbs.hpp, which defines them.
//
// Device memory is host memory. What is enqueued does not run at the call but when somebody waits or asks, in
// an order that is drawn by chance among those that CUDA allows. Besides, whenever something is enqueued that
// touches memory, it is proven that it comes after everything that it must not overlap with: two accesses of
// the same bytes, one of which writes, have to be ordered by streams, events, graphs or a wait of the host,
// whatever order was drawn. What breaks a rule is a violation, told in words. Not seen are what the host
// itself does to memory, and the order between threads of the host: a wait by any of them counts for all.

namespace stand_in {

/// While there is one on a thread, what the thread allocates is the stand-in's.
class Inside {
 public:
  Inside() { ++depth(); }
  Inside(Inside const&) = delete;
  Inside& operator=(Inside const&) = delete;
  ~Inside() { --depth(); }

  static int& depth() {
    static thread_local int depth = 0;
    return depth;
  }
};

enum class Driver : std::uint8_t { present, missing, without_device, unloading };

struct Options {
  int devices = 1;
  std::uint64_t seed = 1;        // of the order in which operations run
  std::size_t device_bytes = 0;  // memory of each device; 0: as much as there is
  Driver driver = Driver::present;
};

/// Bytes that an operation reads or writes.
struct Access {
  void const* begin = nullptr;
  std::size_t bytes = 0;
  bool writes = false;
};

template <class Element>
Access reads(Element const* begin, std::size_t count = 1) {
  return {begin, count * sizeof(Element), false};
}
template <class Element>
Access writes(Element const* begin, std::size_t count = 1) {
  return {begin, count * sizeof(Element), true};
}
template <class Element, class Space>
Access reads(weir::TensorView<Element, Space> view) {
  return reads(view.data(), view.size());
}
template <class Element, class Space>
Access writes(weir::TensorView<Element, Space> view) {
  return writes(view.data(), view.size());
}

/// Enqueues a kernel, as a launch would: the stream's device has to be current. `run` may run more than once
/// (in replays of a graph), uses no CUDA, and touches device memory only where `accesses` says so.
cudaError_t launch(cudaStream_t stream, std::string name, std::vector<Access> accesses,
                   std::function<void()> run);

/// The same for work that does not end by itself, such as a collective: `attempt` is called again and again,
/// from the time when the stream has got there, until it returns true.
cudaError_t launch_attempt(cudaStream_t stream, std::string name, std::vector<Access> accesses,
                           std::function<bool()> attempt);

/// The capture that a stream takes part in; none: what is enqueued there runs.
std::weak_ptr<void const> capture_of(cudaStream_t stream);

/// How often `new` was called so far, but for calls of the stand-in itself.
std::size_t heap_allocations();

using Calls = std::map<std::string, std::size_t>;

/// The calls that were made between two counts.
Calls calls_between(Calls const& earlier, Calls const& later);

/// What there is at the moment.
struct Inventory {
  std::size_t allocations = 0;  // of device and pinned memory
  std::size_t bytes = 0;
  std::size_t streams = 0;
  std::size_t events = 0;
  std::size_t graphs = 0;  // both kinds
  bool operator==(Inventory const&) const = default;
};

std::ostream& operator<<(std::ostream& out, Inventory const& all);

/// The stand-in machine. There is one at a time; without one there is no driver.
class Session {
 public:
  explicit Session(Options options = {});
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
  ~Session();

  /// Runs all that is enqueued, without a wait of the host.
  void run_all();

  /// What was done that CUDA does not allow or does not order; forgets it.
  std::vector<std::string> take_violations();

  Inventory inventory() const;

  /// How often each function was called so far; a launch counts as "cudaLaunchKernel".
  Calls calls() const;

  /// The operations (kernels, copies) enqueued on the default stream so far.
  std::size_t default_stream_operations() const;
  /// The copies so far from or to host memory that is not pinned, which may block the caller.
  std::size_t pageable_copies() const;
  /// The operations that have run so far.
  std::size_t operations_run() const;

  /// The `nth` call from now on (1: the next) of `function`, or of any that can fail where it is empty,
  /// fails.
  void fail(std::string function, std::size_t nth, cudaError_t code);
  /// Whether the failure that was asked for has happened.
  bool has_failed() const;

  /// The `nth` wait for an event from now on has no effect.
  void drop_wait(std::size_t nth);
  /// Waits for a recorded event so far.
  std::size_t waits() const;

  void set_driver(Driver driver);
};

}  // namespace stand_in
