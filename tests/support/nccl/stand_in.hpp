#pragma once

#include <nccl.h>

#include <cstddef>
#include <string>
#include <vector>

// A stand-in for NCCL whose ranks are threads. A program links it by compiling the .cpp files of this folder,
// with the stand-in for the CUDA runtime of ../cuda, and links no NCCL. A collective is an operation on a
// stream of that stand-in: it begins when its stream gets there and what was called before on the same
// communicator has ended, on whatever stream, and ends when all ranks have come. Vectors are combined in rank
// order, 16-bit elements in float, as ThreadCommunicator does.
//
// Ranks whose calls differ wait for ever, as they do in NCCL.

namespace stand_in_nccl {

struct Options {
  int in_progress = 0;        // how often each call of a non-blocking communicator is said to be in progress
  bool runs = true;           // false: calls are recorded, and nothing is enqueued
  bool tells_others = false;  // an abort is a remote error on the other ranks
};

/// A collective, or one side of a message.
struct Call {
  std::string name;
  void const* from;
  void* to;
  std::size_t count;
  ncclDataType_t type;
  ncclRedOp_t op;
  int peer;  // or root
  int rank;
  cudaStream_t stream;
  bool is_grouped;
};

/// What became of the communicators.
struct Inventory {
  std::size_t made = 0;
  std::size_t destroyed = 0;
  std::size_t aborted = 0;
  bool operator==(Inventory const&) const = default;
};

/// The stand-in library. There is one at a time, inside one of the CUDA stand-in.
class Session {
 public:
  explicit Session(Options options = {});
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
  ~Session();

  /// The calls of all ranks so far, in the order in which they were made.
  std::vector<Call> calls() const;
  Inventory inventory() const;

  /// What NCCL does not allow, in words; forgets it.
  std::vector<std::string> take_violations();

  /// How many collectives had ranks that did not agree.
  std::size_t mismatches() const;

  /// The next call of `function` on any rank is answered so.
  void fail(std::string function, ncclResult_t result);

  /// What ncclCommGetAsyncError reports of a communicator from now on.
  void raise(ncclComm_t communicator, ncclResult_t result);

  /// From now on calls of that communicator stay in progress for ever.
  void stall(ncclComm_t communicator);
};

}  // namespace stand_in_nccl
