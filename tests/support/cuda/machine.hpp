#pragma once

#include <cuda_runtime_api.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/cuda/accesses.hpp"
#include "support/cuda/stand_in.hpp"

// The inside of the stand-in: for its .cpp files only. Everything of `Machine` is guarded by its mutex.

namespace stand_in {

/// What is enqueued, wherever it is enqueued.
struct Work {
  std::string name;
  std::vector<Access> accesses = {};
  std::function<bool()> attempt = {};  // none: a mark
  bool on_host = false;                // runs without the lock
  bool frees = false;                  // gives back the memory that it "writes"
};

struct Operation {
  enum class State : std::uint8_t { waiting, running, done };

  Work work;
  std::vector<std::shared_ptr<Operation>> after;  // besides what lies before it in its lane
  Clock clock;
  State state = State::waiting;
  bool is_stalled = false;
  std::size_t finished_as = 0;  // the n-th of all
};
using OperationPtr = std::shared_ptr<Operation>;

/// Operations that run one after another.
struct Lane {
  std::size_t index = 0;
  int device = 0;
  std::string name;
  bool is_blocking = false;  // waits for the default stream and is waited for
  double weight = 1.0;       // how likely it is drawn
  std::deque<OperationPtr> queue = {};
  OperationPtr last = nullptr;
  Clock clock = {};
  std::uint64_t appended = 0;
};

struct Node {
  Work work;
  std::size_t chain = 0;  // which of the captured streams
  int device = 0;         // of that stream
  std::vector<std::size_t> after;
};

struct Capture {
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;
  struct Stream* origin = nullptr;
  std::vector<Node> nodes;
  std::vector<struct Stream*> streams;
  bool is_invalid = false;
  bool has_ended = false;
};

struct Stream {
  Lane* lane = nullptr;
  int device = 0;
  unsigned flags = 0;
  int priority = 0;
  std::shared_ptr<Capture> capture = nullptr;
  std::size_t chain = 0;
  std::set<std::size_t> tails = {};  // what the next node comes after
};

struct Event {
  int device = 0;
  bool has_timing = false;
  OperationPtr marked = nullptr;
  std::shared_ptr<Capture> capture = nullptr;  // of the latest record
  std::set<std::size_t> captured = {};
};

struct Graph {
  std::vector<Node> nodes;
};

struct RunnableGraph {
  std::vector<Node> nodes;
  std::vector<Lane*> lanes;  // by chain
  OperationPtr last = nullptr;
};

struct Allocation {
  enum class Kind : std::uint8_t { device, pooled, pinned, registered };

  std::size_t bytes = 0;
  int device = 0;
  Kind kind = Kind::device;
  bool is_freed = false;  // in stream order

  bool is_on_host() const { return kind == Kind::pinned || kind == Kind::registered; }
};

class Machine {
 public:
  using Address = std::uintptr_t;
  using Lock = std::unique_lock<std::mutex>;

  explicit Machine(Options const& options);
  ~Machine();

  static Machine* current();

  std::mutex mutex;
  Options options;

  // calls.cpp
  Calls counts;
  cudaError_t enter(char const* function);
  void violation(std::string text);
  std::vector<std::string> take_violations();

  // scheduler.cpp
  Lane& new_lane(int device, std::string name, bool is_blocking);
  OperationPtr append(Lane& lane, Work work, std::vector<OperationPtr> after = {});
  bool run_one(Lock& lock);
  bool run_until_done(OperationPtr const& operation, Lock& lock, bool counts_as_wait = true);
  void run_until_idle(int device, Lock& lock);
  void poll(Lock& lock);
  void host_has_seen(OperationPtr const& operation);
  void drop_pending(int device);

  // streams.cpp
  cudaError_t make_stream(cudaStream_t* stream, unsigned flags, int priority);
  cudaError_t find(cudaStream_t handle, Stream*& stream);
  cudaError_t enqueue(cudaStream_t handle, Work work);
  cudaError_t destroy(cudaStream_t handle);
  cudaError_t make_event(cudaEvent_t* event, unsigned flags);
  cudaError_t find(cudaEvent_t handle, Event*& event);
  cudaError_t record(cudaEvent_t event, cudaStream_t stream);
  cudaError_t wait(cudaStream_t stream, cudaEvent_t event);
  cudaError_t destroy(cudaEvent_t event);
  cudaError_t reset_device(int device);

  // captures.cpp
  cudaError_t refuse_synchronisation(Stream& stream);
  cudaError_t refuse_unsafe_call();
  cudaError_t begin_capture(cudaStream_t stream, cudaStreamCaptureMode mode);
  cudaError_t end_capture(cudaStream_t stream, cudaGraph_t* graph);
  cudaError_t add_node(Stream& stream, Work work);
  cudaError_t wait_captured(Stream& stream, Event& event);
  cudaError_t instantiate(cudaGraphExec_t* runnable, cudaGraph_t graph);
  cudaError_t launch(cudaGraphExec_t runnable, cudaStream_t stream);
  cudaError_t destroy(cudaGraph_t graph);
  cudaError_t destroy(cudaGraphExec_t runnable);

  // memory.cpp
  cudaError_t allocate(void** memory, std::size_t bytes, Allocation::Kind kind);
  cudaError_t allocate_in_stream(void** memory, std::size_t bytes, cudaStream_t stream);
  cudaError_t free_in_stream(void* memory, cudaStream_t stream);
  cudaError_t release(void* memory, bool on_host, Lock& lock);
  cudaError_t copy(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream,
                   Lock& lock);
  cudaError_t set(void* begin, int value, std::size_t bytes, cudaStream_t stream);
  void forget_memory(Address begin);
  Allocation const* allocation_at(void const* memory, Address* begin = nullptr) const;
  void check_accesses(Operation& operation, Lane const& lane);
  Inventory inventory() const;

  std::map<Address, Allocation> memory;
  AccessHistory history;
  std::map<std::uintptr_t, Stream> streams;
  std::map<std::uintptr_t, Event> events;
  std::map<std::uintptr_t, Graph> graphs;
  std::map<std::uintptr_t, RunnableGraph> runnable_graphs;
  std::set<std::uintptr_t> lost;  // handles and memory that went with a reset device
  std::uintptr_t next_handle = 0x1000;

  std::size_t default_stream_operations = 0;
  std::size_t pageable_copies = 0;
  std::size_t finished = 0;
  std::size_t waits = 0;
  std::size_t drop_in = 0;
  std::string failing_function;
  std::size_t fail_in = 0;
  cudaError_t failure = cudaSuccess;

 private:
  bool is_due(Lane const& lane) const;
  void finish(Lane& lane);

  std::deque<Lane> lanes_;
  Clock host_;  // what waits of the host have seen
  std::mt19937_64 random_;
  std::condition_variable changed_;
  std::size_t running_ = 0;
  std::mutex violations_mutex_;
  std::vector<std::string> violations_;
};

/// Whether this thread is inside of an operation, where no CUDA function may be called.
bool& is_in_operation();

/// How strict this thread is while others capture.
cudaStreamCaptureMode& capture_mode();

/// The device that is current on this thread.
int& current_device();

}  // namespace stand_in
