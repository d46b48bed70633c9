#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "support/cuda/stand_in.hpp"
#include "support/nccl/state.hpp"

namespace stand_in_nccl {

std::mutex& mutex() {
  static std::mutex it;
  return it;
}

World*& world() {
  static World* it = nullptr;
  return it;
}

namespace {

using Lock = std::unique_lock<std::mutex>;

struct PendingGroup {
  int depth = 0;
  std::vector<Launch> launches;
};
thread_local PendingGroup pending_group;

void violate(std::string const& text) {
  if (world() != nullptr) world()->violations.push_back(text);
}

std::shared_ptr<ncclComm> find(ncclComm_t handle) {
  if (world() == nullptr) return nullptr;
  for (auto const& communicator : world()->communicators) {
    if (communicator.get() == handle) return communicator;
  }
  return nullptr;
}

/// The communicator of a call, if it may be used.
std::shared_ptr<ncclComm> checked(ncclComm_t handle, std::string const& function,
                                  bool may_be_in_progress = false) {
  auto const communicator = find(handle);
  if (communicator == nullptr || communicator->is_dead) {
    violate(function + " on a communicator that is not alive");
    return nullptr;
  }
  if (communicator->is_over && !may_be_in_progress) {
    violate(function + " while another call is in progress");
    return nullptr;
  }
  return communicator;
}

bool is_failing(std::string const& function, ncclResult_t& result) {
  if (world() == nullptr || world()->failing != function) return false;
  result = world()->failure;
  world()->failing.clear();
  return true;
}

/// Leaves a call in progress, or waits for its end on a blocking communicator.
ncclResult_t go_on(Lock& lock, ncclComm& communicator, std::function<bool()> is_over) {
  if (communicator.is_blocking) {
    while (!is_over() && !communicator.is_aborted) {
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      lock.lock();
    }
    return communicator.is_aborted ? ncclSystemError : ncclSuccess;
  }
  communicator.questions = world()->options.in_progress;
  communicator.is_over = std::move(is_over);
  return ncclInProgress;
}

ncclResult_t accept(std::vector<Launch> launches) {
  ncclResult_t result = ncclSuccess;
  std::vector<Launch> now;
  {
    Lock const lock(mutex());
    if (world() == nullptr) return ncclInternalError;
    for (Launch& launch : launches) {
      ncclComm& communicator = *launch.communicator;
      bool const waits = communicator.is_stalled || world()->options.in_progress > 0;
      if (!communicator.is_blocking && waits) {
        communicator.questions = world()->options.in_progress;
        communicator.is_over = [] { return true; };
        communicator.waiting.push_back(std::move(launch));
        result = ncclInProgress;
      } else {
        now.push_back(std::move(launch));
      }
    }
  }
  ncclResult_t const code = enqueue(now);
  return code == ncclSuccess ? result : code;
}

ncclResult_t add(ncclComm_t handle, Call call) {
  {
    Lock const lock(mutex());
    ncclResult_t failure = ncclSuccess;
    if (is_failing(call.name, failure)) return failure;
    auto const communicator = checked(handle, call.name);
    if (communicator == nullptr) return ncclInvalidArgument;
    call.rank = communicator->rank;
    call.is_grouped = pending_group.depth > 0;
    world()->calls.push_back(call);
    if (!world()->options.runs || call.count == 0) return ncclSuccess;
    bool is_new = true;
    for (Launch& launch : pending_group.launches) {
      if (launch.communicator != communicator || launch.stream != call.stream) continue;
      launch.calls.push_back(call);
      is_new = false;
    }
    if (is_new) pending_group.launches.push_back({communicator, call.stream, {call}});
  }
  if (pending_group.depth > 0) return ncclSuccess;
  return accept(std::exchange(pending_group.launches, {}));
}

/// Makes a member of `group`. The mutex is held.
std::shared_ptr<ncclComm> make(std::shared_ptr<Group> const& group, int rank, int device, bool is_blocking) {
  auto communicator = std::make_shared<ncclComm>();
  communicator->group = group;
  communicator->rank = rank;
  communicator->device = device;
  communicator->is_blocking = is_blocking;
  ++group->arrived;
  group->members[static_cast<std::size_t>(rank)] = communicator;
  world()->communicators.push_back(communicator);
  ++world()->inventory.made;
  return communicator;
}

/// All ranks have come: one group for each color.
void divide(ncclComm const& any, std::size_t number) {
  auto& places = any.group->splits[number];
  std::map<int, std::vector<std::pair<std::pair<int, int>, ncclComm_t*>>> colors;
  for (auto const& [rank, place] : places) colors[place.color].push_back({{place.key, rank}, place.made});
  for (auto& [color, members] : colors) {
    std::sort(members.begin(), members.end());
    auto const group = std::make_shared<Group>(static_cast<int>(members.size()));
    for (std::size_t i = 0; i < members.size(); ++i) {
      auto const parent = any.group->members[static_cast<std::size_t>(members[i].first.second)].lock();
      *members[i].second = make(group, static_cast<int>(i), parent->device, false).get();
    }
  }
}

void die(ncclComm& communicator, bool is_abort) {
  communicator.is_dead = true;
  communicator.is_aborted = is_abort;
  communicator.waiting.clear();
  ++(is_abort ? world()->inventory.aborted : world()->inventory.destroyed);
  if (!is_abort || !world()->options.tells_others) return;
  for (auto const& member : communicator.group->members) {
    auto const other = member.lock();
    if (other != nullptr && other.get() != &communicator) other->error = ncclRemoteError;
  }
}

ncclResult_t ask(ncclComm_t handle, char const* function, int ncclComm::*field, int* answer) {
  Lock const lock(mutex());
  auto const communicator = checked(handle, function);
  if (communicator == nullptr) return ncclInvalidArgument;
  *answer = (*communicator).*field;
  return ncclSuccess;
}

}  // namespace

Session::Session(Options options) {
  Lock const lock(mutex());
  world() = new World;
  world()->options = options;
}

Session::~Session() {
  Lock const lock(mutex());
  delete std::exchange(world(), nullptr);
}

std::vector<Call> Session::calls() const {
  Lock const lock(mutex());
  return world()->calls;
}
Inventory Session::inventory() const {
  Lock const lock(mutex());
  return world()->inventory;
}
std::vector<std::string> Session::take_violations() {
  Lock const lock(mutex());
  return std::exchange(world()->violations, {});
}
std::size_t Session::mismatches() const {
  Lock const lock(mutex());
  return world()->mismatches;
}
void Session::fail(std::string function, ncclResult_t result) {
  Lock const lock(mutex());
  world()->failing = std::move(function);
  world()->failure = result;
}
void Session::raise(ncclComm_t communicator, ncclResult_t result) {
  Lock const lock(mutex());
  communicator->error = result;
}
void Session::stall(ncclComm_t communicator) {
  Lock const lock(mutex());
  communicator->is_stalled = true;
}

}  // namespace stand_in_nccl

using namespace stand_in_nccl;

extern "C" {

char const* ncclGetErrorString(ncclResult_t) {
  return "told by the stand-in";
}
char const* ncclGetLastError(ncclComm_t) {
  return "";
}

ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  Lock const lock(mutex());
  ncclResult_t failure = ncclSuccess;
  if (is_failing("ncclGetUniqueId", failure)) return failure;
  std::memset(id, 0, sizeof(*id));
  std::string const text = "group " + std::to_string(++world()->ids);
  std::memcpy(id->internal, text.data(), text.size());
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* made, int size, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  int device = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return ncclUnhandledCudaError;
  Lock lock(mutex());
  ncclResult_t failure = ncclSuccess;
  if (is_failing("ncclCommInitRankConfig", failure)) return failure;
  auto& group = world()->groups[std::string(id.internal, sizeof(id.internal))];
  if (group == nullptr) group = std::make_shared<Group>(size);
  if (rank < 0 || rank >= size || group->size != size) return ncclInvalidArgument;
  auto const communicator = make(group, rank, device, config == nullptr || config->blocking != 0);
  *made = communicator.get();
  return go_on(lock, *communicator, [everybody = group] { return everybody->arrived == everybody->size; });
}

ncclResult_t ncclCommInitRank(ncclComm_t* made, int size, ncclUniqueId id, int rank) {
  return ncclCommInitRankConfig(made, size, id, rank, nullptr);
}

ncclResult_t ncclCommUserRank(ncclComm_t handle, int* rank) {
  return ask(handle, "ncclCommUserRank", &ncclComm::rank, rank);
}
ncclResult_t ncclCommCuDevice(ncclComm_t handle, int* device) {
  return ask(handle, "ncclCommCuDevice", &ncclComm::device, device);
}
ncclResult_t ncclCommCount(ncclComm_t handle, int* count) {
  Lock const lock(mutex());
  auto const communicator = checked(handle, "ncclCommCount");
  if (communicator == nullptr) return ncclInvalidArgument;
  *count = communicator->group->size;
  return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t handle, ncclResult_t* error) {
  stand_in::Inside const inside;
  Lock lock(mutex());
  auto const communicator = checked(handle, "ncclCommGetAsyncError", true);
  if (communicator == nullptr) return ncclInvalidArgument;
  *error = communicator->error;
  if (*error != ncclSuccess || !communicator->is_over) return ncclSuccess;
  *error = ncclInProgress;
  if (communicator->is_stalled || communicator->is_launching || communicator->questions-- > 0 ||
      !communicator->is_over()) {
    return ncclSuccess;
  }
  communicator->is_launching = true;
  auto const launches = std::exchange(communicator->waiting, {});
  lock.unlock();
  ncclResult_t const code = enqueue(launches);
  lock.lock();
  communicator->is_launching = false;
  communicator->is_over = nullptr;
  *error = code;
  return ncclSuccess;
}

ncclResult_t ncclCommSplit(ncclComm_t handle, int color, int key, ncclComm_t* made, ncclConfig_t*) {
  Lock lock(mutex());
  ncclResult_t failure = ncclSuccess;
  if (is_failing("ncclCommSplit", failure)) return failure;
  auto const communicator = checked(handle, "ncclCommSplit");
  if (communicator == nullptr) return ncclInvalidArgument;
  std::size_t const number = communicator->splits++;
  auto& places = communicator->group->splits[number];
  places.push_back({communicator->rank, {color, key, made}});
  if (static_cast<int>(places.size()) == communicator->group->size) divide(*communicator, number);
  return go_on(lock, *communicator, [group = communicator->group, number] {
    return static_cast<int>(group->splits[number].size()) == group->size;
  });
}

ncclResult_t ncclCommFinalize(ncclComm_t handle) {
  Lock lock(mutex());
  auto const communicator = checked(handle, "ncclCommFinalize");
  if (communicator == nullptr) return ncclInvalidArgument;
  communicator->is_finalized = true;
  return go_on(lock, *communicator, [it = communicator.get()] { return it->running == 0; });
}

ncclResult_t ncclCommDestroy(ncclComm_t handle) {
  Lock const lock(mutex());
  auto const communicator = checked(handle, "ncclCommDestroy");
  if (communicator == nullptr) return ncclInvalidArgument;
  if (communicator->running > 0) violate("ncclCommDestroy while operations run");
  die(*communicator, false);
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t handle) {
  Lock const lock(mutex());
  auto const communicator = checked(handle, "ncclCommAbort", true);
  if (communicator == nullptr) return ncclInvalidArgument;
  die(*communicator, true);
  return ncclSuccess;
}

ncclResult_t ncclGroupStart() {
  stand_in::Inside const inside;
  ++pending_group.depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  stand_in::Inside const inside;
  if (--pending_group.depth > 0) return ncclSuccess;
  {
    Lock const lock(mutex());
    ncclResult_t failure = ncclSuccess;
    if (is_failing("ncclGroupEnd", failure)) {
      pending_group.launches.clear();
      return failure;
    }
  }
  return accept(std::exchange(pending_group.launches, {}));
}

ncclResult_t ncclAllReduce(void const* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t op,
                           ncclComm_t handle, cudaStream_t stream) {
  stand_in::Inside const inside;
  return add(handle, {"ncclAllReduce", from, to, count, type, op, -1, 0, stream, false});
}
ncclResult_t ncclReduce(void const* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t op,
                        int root, ncclComm_t handle, cudaStream_t stream) {
  stand_in::Inside const inside;
  return add(handle, {"ncclReduce", from, to, count, type, op, root, 0, stream, false});
}
ncclResult_t ncclReduceScatter(void const* from, void* to, std::size_t count, ncclDataType_t type,
                               ncclRedOp_t op, ncclComm_t handle, cudaStream_t stream) {
  stand_in::Inside const inside;
  return add(handle, {"ncclReduceScatter", from, to, count, type, op, -1, 0, stream, false});
}
ncclResult_t ncclAllGather(void const* from, void* to, std::size_t count, ncclDataType_t type,
                           ncclComm_t handle, cudaStream_t stream) {
  stand_in::Inside const inside;
  return add(handle, {"ncclAllGather", from, to, count, type, ncclSum, -1, 0, stream, false});
}
ncclResult_t ncclBroadcast(void const* from, void* to, std::size_t count, ncclDataType_t type, int root,
                           ncclComm_t handle, cudaStream_t stream) {
  stand_in::Inside const inside;
  return add(handle, {"ncclBroadcast", from, to, count, type, ncclSum, root, 0, stream, false});
}
ncclResult_t ncclSend(void const* from, std::size_t count, ncclDataType_t type, int peer, ncclComm_t handle,
                      cudaStream_t stream) {
  stand_in::Inside const inside;
  return add(handle, {"ncclSend", from, nullptr, count, type, ncclSum, peer, 0, stream, false});
}
ncclResult_t ncclRecv(void* to, std::size_t count, ncclDataType_t type, int peer, ncclComm_t handle,
                      cudaStream_t stream) {
  stand_in::Inside const inside;
  return add(handle, {"ncclRecv", nullptr, to, count, type, ncclSum, peer, 0, stream, false});
}

}  // extern "C"
