#include <cstring>
#include <memory>
#include <string>

#include "support/cuda/stand_in.hpp"
#include "support/nccl/state.hpp"
#include "weir/comm/rank_order.hpp"

namespace stand_in_nccl {

namespace {

std::size_t size_of(ncclDataType_t type) {
  switch (type) {
    case ncclFloat16:
    case ncclBfloat16:
      return 2;
    case ncclFloat32:
    case ncclInt32:
    case ncclUint32:
      return 4;
    case ncclFloat64:
    case ncclInt64:
    case ncclUint64:
      return 8;
    default:
      return 1;
  }
}

std::size_t bytes_of(Call const& call) {
  return call.count * size_of(call.type);
}

char const* bytes_at(void const* memory, std::size_t offset) {
  return static_cast<char const*>(memory) + offset;
}

void move(void const* from, void* to, std::size_t bytes) {
  if (bytes > 0 && from != to) std::memmove(to, from, bytes);
}

template <class T>
std::vector<char> combined_as(Meeting const& meeting, std::size_t count, ncclRedOp_t op) {
  auto const of_weir = op == ncclMax   ? weir::ReduceOp::max
                       : op == ncclMin ? weir::ReduceOp::min
                                       : weir::ReduceOp::sum;
  std::vector<char> result(count * sizeof(T));
  weir::detail::combine_in_rank_order<T>(
      of_weir, meeting.calls.size(), 0, count,
      [&](std::size_t rank) { return static_cast<T const*>(meeting.calls[rank].from); },
      [&](std::size_t offset, T const* part, std::size_t length) {
        std::memcpy(result.data() + offset * sizeof(T), part, length * sizeof(T));
      });
  return result;
}

/// The first `count` elements of all ranks, combined.
std::vector<char> combined(Meeting const& meeting, std::size_t count) {
  Call const& call = meeting.calls.front();
  switch (call.type) {
    case ncclFloat16:
      return combined_as<weir::half>(meeting, count, call.op);
    case ncclBfloat16:
      return combined_as<weir::bfloat16>(meeting, count, call.op);
    case ncclFloat32:
      return combined_as<float>(meeting, count, call.op);
    case ncclFloat64:
      return combined_as<double>(meeting, count, call.op);
    case ncclInt32:
      return combined_as<std::int32_t>(meeting, count, call.op);
    case ncclUint32:
      return combined_as<std::uint32_t>(meeting, count, call.op);
    case ncclInt64:
      return combined_as<std::int64_t>(meeting, count, call.op);
    case ncclUint64:
      return combined_as<std::uint64_t>(meeting, count, call.op);
    default:
      return std::vector<char>(bytes_of(call));
  }
}

void perform(Meeting const& meeting) {
  Call const& first = meeting.calls.front();
  std::size_t const ranks = meeting.calls.size();
  std::size_t const bytes = bytes_of(first);
  if (first.name == "ncclAllReduce" || first.name == "ncclReduce") {
    auto const result = combined(meeting, first.count);
    for (Call const& call : meeting.calls) {
      if (first.name == "ncclAllReduce" || call.rank == call.peer) move(result.data(), call.to, bytes);
    }
  } else if (first.name == "ncclReduceScatter") {
    auto const result = combined(meeting, first.count * ranks);
    for (std::size_t rank = 0; rank < ranks; ++rank)
      move(result.data() + rank * bytes, meeting.calls[rank].to, bytes);
  } else if (first.name == "ncclBroadcast") {
    Call const& root = meeting.calls[static_cast<std::size_t>(first.peer)];
    for (Call const& call : meeting.calls) move(root.from, call.to, bytes);
  } else {  // ncclAllGather
    for (Call const& call : meeting.calls) {
      for (std::size_t rank = 0; rank < ranks; ++rank)
        move(meeting.calls[rank].from, const_cast<char*>(bytes_at(call.to, rank * bytes)), bytes);
    }
  }
}

bool agree(Call const& left, Call const& right) {
  return left.name == right.name && left.count == right.count && left.type == right.type &&
         left.op == right.op && left.peer == right.peer;
}

void meet(ncclComm& communicator, Call const& call, std::shared_ptr<bool> const& done) {
  Group& group = *communicator.group;
  std::size_t const number = communicator.collectives++;
  Meeting& meeting = group.meetings[number];
  meeting.calls.resize(static_cast<std::size_t>(group.size));
  meeting.calls[static_cast<std::size_t>(communicator.rank)] = call;
  meeting.is_done.push_back(done);
  if (++meeting.arrived < meeting.calls.size()) return;
  bool is_agreed = true;
  for (Call const& other : meeting.calls) is_agreed = is_agreed && agree(meeting.calls.front(), other);
  if (is_agreed) {
    perform(meeting);
    for (auto const& flag : meeting.is_done) *flag = true;
  } else if (world() != nullptr) {
    ++world()->mismatches;
  }
  group.meetings.erase(number);
}

void send_or_receive(ncclComm& communicator, Call const& call, std::shared_ptr<bool> const& done) {
  Group& group = *communicator.group;
  bool const is_send = call.name == "ncclSend";
  auto const edge = is_send ? std::pair(call.rank, call.peer) : std::pair(call.peer, call.rank);
  auto& sends = group.sends[edge];
  auto& receives = group.receives[edge];
  (is_send ? sends : receives).push_back({call, done});
  while (!sends.empty() && !receives.empty()) {
    Side const& sent = sends.front();
    Side const& received = receives.front();
    if (bytes_of(sent.call) == bytes_of(received.call)) {
      move(sent.call.from, received.call.to, bytes_of(sent.call));
      *sent.is_done = true;
      *received.is_done = true;
    } else if (world() != nullptr) {
      ++world()->mismatches;
    }
    sends.pop_front();
    receives.pop_front();
  }
}

}  // namespace

/// Calls that run together on a stream, each time anew in replays of a graph.
class Running {
 public:
  /// `before`: what comes first on the same communicator, on whatever stream; of the same graph, if it is
  /// one.
  Running(Launch const& launch, std::weak_ptr<Running> before)
      : communicator_(launch.communicator), calls_(launch.calls), before_(std::move(before)) {}

  bool operator()() {
    std::lock_guard const lock(mutex());
    if (flags_.empty() && !communicator_->is_aborted) {
      auto const before = before_.lock();
      if (before != nullptr && before->runs_ == runs_) return false;
      for (Call const& call : calls_) {
        flags_.push_back(std::make_shared<bool>(false));
        begin(*communicator_, call, flags_.back());
      }
    }
    bool is_over = true;
    for (auto const& flag : flags_) is_over = is_over && *flag;
    if (!is_over && !communicator_->is_aborted) return false;
    flags_.clear();
    ++runs_;
    if (communicator_->running > 0) --communicator_->running;
    return true;
  }

 private:
  std::shared_ptr<ncclComm> communicator_;
  std::vector<Call> calls_;
  std::weak_ptr<Running> before_;
  std::vector<std::shared_ptr<bool>> flags_;
  std::size_t runs_ = 0;
};

namespace {

/// NCCL runs the operations of a communicator one after another, in the order of the calls.
std::shared_ptr<Running> make_running(Launch const& launch) {
  auto const capture = stand_in::capture_of(launch.stream);
  std::lock_guard const lock(mutex());
  ++launch.communicator->running;
  bool const is_captured = capture.lock() != nullptr;
  auto& latest = is_captured ? launch.communicator->captured : launch.communicator->latest;
  if (is_captured && capture.lock() != launch.communicator->capture.lock()) {
    launch.communicator->capture = capture;
    latest.reset();
  }
  auto const running = std::make_shared<Running>(launch, latest);
  latest = running;
  return running;
}

std::vector<stand_in::Access> accesses_of(Launch const& launch) {
  std::vector<stand_in::Access> accesses;
  auto const ranks = static_cast<std::size_t>(launch.communicator->group->size);
  for (Call const& call : launch.calls) {
    std::size_t const bytes = bytes_of(call);
    std::size_t const read = call.name == "ncclReduceScatter" ? bytes * ranks : bytes;
    std::size_t const written = call.name == "ncclAllGather" ? bytes * ranks : bytes;
    bool const is_root = call.peer == call.rank;
    bool const reads = call.name != "ncclRecv" && (call.name != "ncclBroadcast" || is_root);
    bool const writes = call.name != "ncclSend" && (call.name != "ncclReduce" || is_root);
    if (reads && read > 0) accesses.push_back({call.from, read, false});
    if (writes && written > 0) accesses.push_back({call.to, written, true});
  }
  return accesses;
}

}  // namespace

void begin(ncclComm& communicator, Call const& call, std::shared_ptr<bool> const& done) {
  if (call.name == "ncclSend" || call.name == "ncclRecv") {
    send_or_receive(communicator, call, done);
  } else {
    meet(communicator, call, done);
  }
}

ncclResult_t enqueue(std::vector<Launch> const& launches) {
  for (Launch const& launch : launches) {
    int previous = 0;
    cudaGetDevice(&previous);
    cudaSetDevice(launch.communicator->device);
    auto const running = make_running(launch);
    cudaError_t const code = stand_in::launch_attempt(
        launch.stream, launch.calls.front().name, accesses_of(launch), [running] { return (*running)(); });
    cudaSetDevice(previous);
    if (code != cudaSuccess) return ncclUnhandledCudaError;
  }
  return ncclSuccess;
}

}  // namespace stand_in_nccl
