#include "support/cuda/machine.hpp"

namespace stand_in {

namespace {
template <class Handle>
std::uintptr_t key(Handle handle) {
  return reinterpret_cast<std::uintptr_t>(handle);
}
}  // namespace

cudaError_t Machine::make_stream(cudaStream_t* stream, unsigned flags, int priority) {
  std::uintptr_t const handle = next_handle += 16;
  bool const is_blocking = (flags & cudaStreamNonBlocking) == 0;
  Lane& lane = new_lane(current_device(), "stream " + std::to_string(streams.size()), is_blocking);
  streams[handle] = {.lane = &lane, .device = current_device(), .flags = flags, .priority = priority};
  *stream = reinterpret_cast<cudaStream_t>(handle);
  return cudaSuccess;
}

cudaError_t Machine::find(cudaStream_t handle, Stream*& stream) {
  std::uintptr_t number = key(handle);
  if (handle == nullptr || handle == cudaStreamLegacy || handle == cudaStreamPerThread) {
    // One for each device; not below the first handle of the others.
    number = 0x10 + static_cast<std::uintptr_t>(current_device());
    if (streams.count(number) == 0) {
      Lane& lane = new_lane(current_device(), "the default stream", false);
      streams[number] = {.lane = &lane, .device = current_device()};
    }
  }
  auto const found = streams.find(number);
  if (found == streams.end()) {
    if (lost.count(number) != 0) return cudaErrorContextIsDestroyed;
    violation("a stream is used that does not exist");
    return cudaErrorInvalidResourceHandle;
  }
  stream = &found->second;
  return cudaSuccess;
}

/// Appends to a stream, or to the graph that it is captured in.
cudaError_t Machine::enqueue(cudaStream_t handle, Work work) {
  Stream* stream = nullptr;
  if (auto const code = find(handle, stream)) return code;
  if (stream->capture) return add_node(*stream, std::move(work));

  std::vector<OperationPtr> after;
  std::uintptr_t const of_default = 0x10 + static_cast<std::uintptr_t>(stream->device);
  auto const default_stream = streams.find(of_default);
  if (default_stream != streams.end() && stream == &default_stream->second) {
    ++default_stream_operations;
    for (auto& [number, other] : streams) {
      if (other.device != stream->device || !other.lane->is_blocking) continue;
      if (other.capture) {
        other.capture->is_invalid = true;
        return cudaErrorStreamCaptureImplicit;
      }
      if (other.lane->last) after.push_back(other.lane->last);
    }
  } else if (stream->lane->is_blocking && default_stream != streams.end()) {
    if (auto const& last = default_stream->second.lane->last) after.push_back(last);
  }
  append(*stream->lane, std::move(work), std::move(after));
  return cudaSuccess;
}

cudaError_t Machine::destroy(cudaStream_t handle) {
  Stream* stream = nullptr;
  if (auto const code = find(handle, stream)) return code;
  if (key(handle) < 0x1000) return cudaErrorInvalidResourceHandle;
  if (stream->capture) violation("a stream is destroyed while it is captured");
  streams.erase(key(handle));  // what is enqueued stays in the lane
  return cudaSuccess;
}

cudaError_t Machine::make_event(cudaEvent_t* event, unsigned flags) {
  std::uintptr_t const handle = next_handle += 16;
  events[handle] = {.device = current_device(), .has_timing = (flags & cudaEventDisableTiming) == 0};
  *event = reinterpret_cast<cudaEvent_t>(handle);
  return cudaSuccess;
}

cudaError_t Machine::find(cudaEvent_t handle, Event*& event) {
  auto const found = events.find(key(handle));
  if (found == events.end()) {
    if (lost.count(key(handle)) != 0) return cudaErrorContextIsDestroyed;
    violation("an event is used that does not exist");
    return cudaErrorInvalidResourceHandle;
  }
  event = &found->second;
  return cudaSuccess;
}

cudaError_t Machine::record(cudaEvent_t handle, cudaStream_t stream_handle) {
  Event* event = nullptr;
  Stream* stream = nullptr;
  if (auto const code = find(handle, event)) return code;
  if (auto const code = find(stream_handle, stream)) return code;
  if (event->device != stream->device) return cudaErrorInvalidResourceHandle;
  if (stream->capture) {
    if (stream->capture->is_invalid) return cudaErrorStreamCaptureInvalidated;
    event->marked = nullptr;
    event->capture = stream->capture;
    event->captured = stream->tails;
    return cudaSuccess;
  }
  event->capture = nullptr;
  if (auto const code = enqueue(stream_handle, {.name = "an event"})) return code;
  event->marked = stream->lane->last;
  return cudaSuccess;
}

cudaError_t Machine::wait(cudaStream_t stream_handle, cudaEvent_t handle) {
  Event* event = nullptr;
  Stream* stream = nullptr;
  if (auto const code = find(handle, event)) return code;
  if (auto const code = find(stream_handle, stream)) return code;
  if (!event->marked && !event->capture) return cudaSuccess;
  ++waits;
  if (drop_in != 0 && --drop_in == 0) return cudaSuccess;
  if (stream->capture || event->capture) return wait_captured(*stream, *event);
  append(*stream->lane, {.name = "a wait"}, {event->marked});
  return cudaSuccess;
}

cudaError_t Machine::destroy(cudaEvent_t handle) {
  Event* event = nullptr;
  if (auto const code = find(handle, event)) return code;
  events.erase(key(handle));
  return cudaSuccess;
}

/// All that belongs to the device is gone.
cudaError_t Machine::reset_device(int device) {
  drop_pending(device);
  auto const lose = [&](auto& objects) {
    for (auto object = objects.begin(); object != objects.end();) {
      if (object->second.device != device) {
        ++object;
        continue;
      }
      lost.insert(object->first);
      object = objects.erase(object);
    }
  };
  lose(streams);
  lose(events);
  std::vector<Address> gone;
  for (auto const& [begin, allocation] : memory) {
    if (allocation.device == device) gone.push_back(begin);
  }
  for (Address const begin : gone) {
    forget_memory(begin);
    lost.insert(begin);
  }
  for (auto const& [handle, graph] : graphs) lost.insert(handle);
  for (auto const& [handle, graph] : runnable_graphs) lost.insert(handle);
  graphs.clear();
  runnable_graphs.clear();
  return cudaSuccess;
}

}  // namespace stand_in
