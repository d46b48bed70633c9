#include <cstdlib>
#include <cstring>

#include "support/cuda/machine.hpp"

namespace stand_in {

namespace {
constexpr std::size_t alignment = 256;

std::size_t rounded_up(std::size_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}
}  // namespace

/// New memory holds NaN whatever it is taken for.
cudaError_t Machine::allocate(void** out, std::size_t bytes, Allocation::Kind kind) {
  *out = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (options.device_bytes != 0 && inventory().bytes + bytes > options.device_bytes)
    return cudaErrorMemoryAllocation;
  void* const begin = std::aligned_alloc(alignment, rounded_up(bytes));
  if (begin == nullptr) return cudaErrorMemoryAllocation;
  std::memset(begin, 0xff, bytes);
  Address const address = reinterpret_cast<Address>(begin);
  memory[address] = {.bytes = bytes, .device = current_device(), .kind = kind};
  history.add(address, address + bytes);
  if (kind == Allocation::Kind::pinned) history.remove(address, address + bytes);  // the host may write it
  *out = begin;
  return cudaSuccess;
}

cudaError_t Machine::allocate_in_stream(void** out, std::size_t bytes, cudaStream_t stream) {
  Stream* found = nullptr;
  if (auto const code = find(stream, found)) return code;
  if (found->capture) return refuse_synchronisation(*found);
  if (auto const code = allocate(out, bytes, Allocation::Kind::pooled)) return code;
  if (*out == nullptr) return cudaSuccess;
  Address const address = reinterpret_cast<Address>(*out);
  memory[address].device = found->device;
  // As a write, which every use has to come after.
  if (auto const code = enqueue(stream, {.name = "cudaMallocAsync", .accesses = {{*out, bytes, true}}}))
    return code;
  return cudaSuccess;
}

cudaError_t Machine::free_in_stream(void* begin, cudaStream_t stream) {
  if (begin == nullptr) return cudaSuccess;
  auto const found = memory.find(reinterpret_cast<Address>(begin));
  if (found == memory.end() || found->second.is_on_host() || found->second.is_freed) {
    if (lost.count(reinterpret_cast<Address>(begin)) == 0)
      violation("cudaFreeAsync of memory that is not there");
    return cudaErrorInvalidValue;
  }
  std::size_t const bytes = found->second.bytes;
  auto const code =
      enqueue(stream, {.name = "cudaFreeAsync", .accesses = {{begin, bytes, true}}, .frees = true});
  auto const again = memory.find(reinterpret_cast<Address>(begin));
  if (code == cudaSuccess && again != memory.end()) again->second.is_freed = true;
  return code;
}

/// cudaFree and cudaFreeHost wait for the device.
cudaError_t Machine::release(void* begin, bool on_host, Lock& lock) {
  if (begin == nullptr) return cudaSuccess;
  Address const address = reinterpret_cast<Address>(begin);
  auto const found = memory.find(address);
  if (found == memory.end() || found->second.is_on_host() != on_host || found->second.is_freed) {
    if (lost.count(address) == 0) violation("memory is freed that is not there");
    return cudaErrorInvalidValue;
  }
  run_until_idle(found->second.device, lock);
  forget_memory(address);
  return cudaSuccess;
}

void Machine::forget_memory(Address begin) {
  auto const found = memory.find(begin);
  if (found == memory.end()) return;
  history.remove(begin, begin + found->second.bytes);
  if (found->second.kind != Allocation::Kind::registered) std::free(reinterpret_cast<void*>(begin));
  memory.erase(found);
}

Allocation const* Machine::allocation_at(void const* pointer, Address* begin) const {
  Address const address = reinterpret_cast<Address>(pointer);
  auto const after = memory.upper_bound(address);
  if (after == memory.begin()) return nullptr;
  auto const& [start, allocation] = *std::prev(after);
  if (address >= start + allocation.bytes) return nullptr;
  if (begin != nullptr) *begin = start;
  return &allocation;
}

/// Of memory that is not pinned CUDA promises that a source has been read when the call returns, and that a
/// target has been written.
cudaError_t Machine::copy(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind,
                          cudaStream_t handle, Lock& lock) {
  if (bytes == 0) return cudaSuccess;
  auto const on_device = [&](void const* pointer) {
    Allocation const* const allocation = allocation_at(pointer);
    return allocation != nullptr && !allocation->is_on_host();
  };
  bool const from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  bool const to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  if (kind != cudaMemcpyDefault && (from_device != on_device(from) || to_device != on_device(to)))
    return cudaErrorInvalidValue;
  Stream* stream = nullptr;
  if (auto const code = find(handle, stream)) return code;

  bool const from_pageable = allocation_at(from) == nullptr;
  bool const to_pageable = allocation_at(to) == nullptr;
  if (from_pageable || to_pageable) ++pageable_copies;
  Work work{.name = "cudaMemcpyAsync", .accesses = {{from, bytes, false}, {to, bytes, true}}};
  if (from_pageable && !stream->capture) {
    auto const* const begin = static_cast<std::byte const*>(from);
    work.accesses.erase(work.accesses.begin());
    work.attempt = [staged = std::vector<std::byte>(begin, begin + bytes), to] {
      std::memcpy(to, staged.data(), staged.size());
      return true;
    };
  } else {
    work.attempt = [=] {
      std::memcpy(to, from, bytes);
      return true;
    };
  }
  if (auto const code = enqueue(handle, std::move(work))) return code;
  if (!to_pageable || stream->capture) return cudaSuccess;
  // What orders is a wait that the caller asks for.
  bool const has_run = run_until_done(stream->lane->last, lock, false);
  return has_run ? cudaSuccess : cudaErrorLaunchTimeout;
}

cudaError_t Machine::set(void* begin, int value, std::size_t bytes, cudaStream_t stream) {
  return enqueue(stream, {.name = "cudaMemsetAsync", .accesses = {{begin, bytes, true}}, .attempt = [=] {
                            std::memset(begin, value, bytes);
                            return true;
                          }});
}

/// Whether an operation touches only what it may, and in what order with others. It is not run if it would
/// touch other memory.
void Machine::check_accesses(Operation& operation, Lane const& lane) {
  Work& work = operation.work;
  if (work.accesses.empty()) return;
  auto const name = std::make_shared<std::string const>(work.name + " (" + lane.name + ")");
  Stamp const stamp{lane.index, lane.appended, name};
  bool const is_copy = work.name == "cudaMemcpyAsync";
  for (Access const& access : work.accesses) {
    if (access.bytes == 0) continue;
    Address const begin = reinterpret_cast<Address>(access.begin);
    Address start = 0;
    Allocation const* const allocation = allocation_at(access.begin, &start);
    if (allocation == nullptr && !is_copy && !work.on_host) {
      violation(*name + " uses memory that is not the device's");
      work.attempt = nullptr;
      continue;
    }
    char const* wrong = nullptr;
    if (allocation != nullptr) {
      if (begin + access.bytes > start + allocation->bytes) wrong = " goes past the end of its memory";
      if (allocation->is_freed) wrong = " uses memory that was freed";
      if (!allocation->is_on_host() && allocation->device != lane.device && !is_copy)
        wrong = " uses memory of another device";
    }
    if (wrong != nullptr) {
      violation(*name + wrong);
      work.attempt = nullptr;
    }
    auto const problem = history.access(begin, begin + access.bytes, access.writes, stamp, operation.clock);
    if (problem) violation(*problem);
  }
  if (work.name == "cudaMallocAsync") {
    Address const begin = reinterpret_cast<Address>(work.accesses[0].begin);
    history.spoil(begin, begin + work.accesses[0].bytes);
  }
}

Inventory Machine::inventory() const {
  Inventory all;
  for (auto const& [begin, allocation] : memory) {
    if (allocation.is_freed) continue;
    ++all.allocations;
    all.bytes += allocation.bytes;
  }
  for (auto const& [handle, stream] : streams) all.streams += handle >= 0x1000;
  all.events = events.size();
  all.graphs = graphs.size() + runnable_graphs.size();
  return all;
}

}  // namespace stand_in
