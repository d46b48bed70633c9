#pragma once

#include <nccl.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "support/nccl/stand_in.hpp"

// What the stand-in for NCCL remembers. Everything here is guarded by `mutex()`, which is never held during a
// CUDA call.

namespace stand_in_nccl {

/// A message that waits for its other side.
struct Side {
  Call call;
  std::shared_ptr<bool> is_done;
};

/// One collective: what each rank has called.
struct Meeting {
  std::vector<Call> calls;
  std::vector<std::shared_ptr<bool>> is_done;
  std::size_t arrived = 0;
};

struct Place {
  int color;
  int key;
  ncclComm_t* made;
};

struct Group {
  explicit Group(int ranks) : size(ranks), members(static_cast<std::size_t>(ranks)) {}

  int size;
  int arrived = 0;
  std::vector<std::weak_ptr<ncclComm>> members;
  std::map<std::size_t, Meeting> meetings;
  std::map<std::pair<int, int>, std::deque<Side>> sends;  // from, to
  std::map<std::pair<int, int>, std::deque<Side>> receives;
  std::map<std::size_t, std::vector<std::pair<int, Place>>> splits;
};

/// What a communicator enqueues at once, on one stream.
struct Launch {
  std::shared_ptr<ncclComm> communicator;
  cudaStream_t stream;
  std::vector<Call> calls;
};

struct World {
  Options options;
  std::map<std::string, std::shared_ptr<Group>> groups;  // by id
  std::vector<std::shared_ptr<ncclComm>> communicators;  // the dead too, so that their use is found out
  std::vector<Call> calls;
  std::vector<std::string> violations;
  Inventory inventory;
  std::size_t mismatches = 0;
  std::string failing;
  ncclResult_t failure = ncclSuccess;
  std::size_t ids = 0;
};

class Running;

std::mutex& mutex();

/// Null without a session.
World*& world();

/// Begins a collective or a message whose stream has got there; `*done` becomes true when it has ended.
void begin(ncclComm& communicator, Call const& call, std::shared_ptr<bool> const& done);

/// Enqueues launches. Without the mutex.
ncclResult_t enqueue(std::vector<Launch> const& launches);

}  // namespace stand_in_nccl

struct ncclComm {
  std::shared_ptr<stand_in_nccl::Group> group;
  int rank = 0;
  int device = 0;
  bool is_blocking = true;
  bool is_dead = false;
  bool is_aborted = false;
  bool is_finalized = false;
  bool is_stalled = false;
  bool is_launching = false;
  int questions = 0;                           // how often it will still be said to be in progress
  std::function<bool()> is_over;               // what a call in progress waits for
  std::vector<stand_in_nccl::Launch> waiting;  // enqueued when the call is accepted
  ncclResult_t error = ncclSuccess;
  std::size_t collectives = 0;  // begun
  std::size_t running = 0;      // launches that were enqueued and have not ended
  std::size_t splits = 0;
  std::weak_ptr<stand_in_nccl::Running> latest;    // of those that were not captured
  std::weak_ptr<stand_in_nccl::Running> captured;  // the latest of a capture
  std::weak_ptr<void const> capture;
};
