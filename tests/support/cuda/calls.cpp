// Functions that the linker puts in the place of those of the CUDA runtime: devices, streams, events, graphs.
#include "support/cuda/call.hpp"

namespace stand_in {

namespace {

cudaError_t check_device(Machine const& machine, int device) {
  return device >= 0 && device < machine.options.devices ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t query(Machine& machine, Machine::Lock& lock, OperationPtr const& operation) {
  machine.poll(lock);
  if (!operation) return cudaSuccess;
  if (operation->state != Operation::State::done) return cudaErrorNotReady;
  machine.host_has_seen(operation);
  return cudaSuccess;
}

}  // namespace

cudaError_t launch_attempt(cudaStream_t stream, std::string name, std::vector<Access> accesses,
                           std::function<bool()> attempt) {
  return call("cudaLaunchKernel", [&](Machine& machine, Machine::Lock&) {
    Stream* found = nullptr;
    if (auto const code = machine.find(stream, found)) return code;
    if (found->device != current_device()) return cudaErrorInvalidResourceHandle;
    return machine.enqueue(
        stream, {.name = std::move(name), .accesses = std::move(accesses), .attempt = std::move(attempt)});
  });
}

std::weak_ptr<void const> capture_of(cudaStream_t stream) {
  Inside const inside;
  Machine* const machine = Machine::current();
  if (machine == nullptr) return {};
  Machine::Lock const lock(machine->mutex);
  Stream* found = nullptr;
  if (machine->find(stream, found) != cudaSuccess) return {};
  return found->capture;
}

cudaError_t launch(cudaStream_t stream, std::string name, std::vector<Access> accesses,
                   std::function<void()> run) {
  return launch_attempt(stream, std::move(name), std::move(accesses), [run = std::move(run)] {
    run();
    return true;
  });
}

}  // namespace stand_in

using namespace stand_in;

// NOLINTBEGIN: the names are the linker's
extern "C" {

cudaError_t __wrap_cudaGetDeviceCount(int* count) {
  *count = 0;
  return call("cudaGetDeviceCount", [&](Machine& machine, Machine::Lock&) {
    *count = machine.options.devices;
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaGetDevice(int* device) {
  return call("cudaGetDevice", [&](Machine&, Machine::Lock&) {
    *device = current_device();
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaSetDevice(int device) {
  return call("cudaSetDevice", [&](Machine& machine, Machine::Lock&) {
    if (auto const code = check_device(machine, device)) return code;
    current_device() = device;
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return call("cudaDeviceGetAttribute", [&](Machine& machine, Machine::Lock&) {
    if (auto const code = check_device(machine, device)) return code;
    switch (attribute) {
      case cudaDevAttrComputeCapabilityMajor:
        *value = 9;
        break;
      case cudaDevAttrComputeCapabilityMinor:
        *value = 0;
        break;
      case cudaDevAttrMultiProcessorCount:
        *value = 132;
        break;
      default:
        *value = 1;
    }
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t __wrap_cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t __wrap_cudaDeviceSynchronize() {
  return call("cudaDeviceSynchronize", [](Machine& machine, Machine::Lock& lock) {
    for (auto& [handle, stream] : machine.streams) {
      if (stream.device != current_device()) continue;
      if (auto const code = machine.refuse_synchronisation(stream)) return code;
    }
    if (auto const code = machine.refuse_unsafe_call()) return code;
    machine.run_until_idle(current_device(), lock);
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaDeviceReset() {
  return call("cudaDeviceReset",
              [](Machine& machine, Machine::Lock&) { return machine.reset_device(current_device()); });
}

cudaError_t __wrap_cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return call("cudaMemGetInfo", [&](Machine& machine, Machine::Lock&) {
    *total = machine.options.device_bytes != 0 ? machine.options.device_bytes : std::size_t{1} << 36;
    *free = *total - machine.inventory().bytes;
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return call("cudaDeviceGetStreamPriorityRange", [&](Machine&, Machine::Lock&) {
    *least = 0;
    *greatest = -5;
    return cudaSuccess;
  });
}

// Streams

cudaError_t __wrap_cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return call("cudaStreamCreateWithPriority",
              [&](Machine& machine, Machine::Lock&) { return machine.make_stream(stream, flags, priority); });
}

cudaError_t __wrap_cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return call("cudaStreamCreateWithFlags",
              [&](Machine& machine, Machine::Lock&) { return machine.make_stream(stream, flags, 0); });
}

cudaError_t __wrap_cudaStreamCreate(cudaStream_t* stream) {
  return call("cudaStreamCreate",
              [&](Machine& machine, Machine::Lock&) { return machine.make_stream(stream, 0, 0); });
}

cudaError_t __wrap_cudaStreamDestroy(cudaStream_t stream) {
  return call("cudaStreamDestroy", [&](Machine& machine, Machine::Lock&) { return machine.destroy(stream); });
}

cudaError_t __wrap_cudaStreamSynchronize(cudaStream_t stream) {
  return call("cudaStreamSynchronize", [&](Machine& machine, Machine::Lock& lock) {
    Stream* found = nullptr;
    if (auto const code = machine.find(stream, found)) return code;
    if (auto const code = machine.refuse_synchronisation(*found)) return code;
    if (auto const code = machine.refuse_unsafe_call()) return code;
    return synchronize(machine, lock, found->lane->last);
  });
}

cudaError_t __wrap_cudaStreamQuery(cudaStream_t stream) {
  return call("cudaStreamQuery", [&](Machine& machine, Machine::Lock& lock) {
    Stream* found = nullptr;
    if (auto const code = machine.find(stream, found)) return code;
    if (auto const code = machine.refuse_synchronisation(*found)) return code;
    if (auto const code = machine.refuse_unsafe_call()) return code;
    return query(machine, lock, found->lane->last);
  });
}

cudaError_t __wrap_cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return call("cudaStreamWaitEvent",
              [&](Machine& machine, Machine::Lock&) { return machine.wait(stream, event); });
}

cudaError_t __wrap_cudaStreamGetDevice(cudaStream_t stream, int* device) {
  return call("cudaStreamGetDevice", [&](Machine& machine, Machine::Lock&) {
    Stream* found = nullptr;
    if (auto const code = machine.find(stream, found)) return code;
    *device = found->device;
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaStreamGetFlags(cudaStream_t stream, unsigned* flags) {
  return call("cudaStreamGetFlags", [&](Machine& machine, Machine::Lock&) {
    Stream* found = nullptr;
    if (auto const code = machine.find(stream, found)) return code;
    *flags = found->flags;
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaStreamGetPriority(cudaStream_t stream, int* priority) {
  return call("cudaStreamGetPriority", [&](Machine& machine, Machine::Lock&) {
    Stream* found = nullptr;
    if (auto const code = machine.find(stream, found)) return code;
    *priority = found->priority;
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  return call("cudaLaunchHostFunc", [&](Machine& machine, Machine::Lock&) {
    auto const attempt = [=] {
      function(argument);
      return true;
    };
    return machine.enqueue(stream, {.name = "cudaLaunchHostFunc", .attempt = attempt, .on_host = true});
  });
}

// Events

cudaError_t __wrap_cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return call("cudaEventCreateWithFlags",
              [&](Machine& machine, Machine::Lock&) { return machine.make_event(event, flags); });
}

cudaError_t __wrap_cudaEventCreate(cudaEvent_t* event) {
  return call("cudaEventCreate",
              [&](Machine& machine, Machine::Lock&) { return machine.make_event(event, 0); });
}

cudaError_t __wrap_cudaEventDestroy(cudaEvent_t event) {
  return call("cudaEventDestroy", [&](Machine& machine, Machine::Lock&) { return machine.destroy(event); });
}

cudaError_t __wrap_cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return call("cudaEventRecord",
              [&](Machine& machine, Machine::Lock&) { return machine.record(event, stream); });
}

cudaError_t __wrap_cudaEventSynchronize(cudaEvent_t event) {
  return call("cudaEventSynchronize", [&](Machine& machine, Machine::Lock& lock) {
    Event* found = nullptr;
    if (auto const code = machine.find(event, found)) return code;
    if (found->capture) return cudaErrorCapturedEvent;
    if (auto const code = machine.refuse_unsafe_call()) return code;
    return synchronize(machine, lock, found->marked);
  });
}

cudaError_t __wrap_cudaEventQuery(cudaEvent_t event) {
  return call("cudaEventQuery", [&](Machine& machine, Machine::Lock& lock) {
    Event* found = nullptr;
    if (auto const code = machine.find(event, found)) return code;
    if (found->capture) return cudaErrorCapturedEvent;
    if (auto const code = machine.refuse_unsafe_call()) return code;
    return query(machine, lock, found->marked);
  });
}

/// An operation takes a microsecond.
cudaError_t __wrap_cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  return call("cudaEventElapsedTime", [&](Machine& machine, Machine::Lock&) {
    Event* first = nullptr;
    Event* second = nullptr;
    if (auto const code = machine.find(begin, first)) return code;
    if (auto const code = machine.find(end, second)) return code;
    if (!first->has_timing || !second->has_timing || !first->marked || !second->marked)
      return cudaErrorInvalidResourceHandle;
    for (Event const* event : {first, second}) {
      if (event->marked->state != Operation::State::done) return cudaErrorNotReady;
    }
    *milliseconds = 0.001f * (static_cast<float>(second->marked->finished_as) -
                              static_cast<float>(first->marked->finished_as));
    return cudaSuccess;
  });
}

// Captures

cudaError_t __wrap_cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return call("cudaStreamBeginCapture",
              [&](Machine& machine, Machine::Lock&) { return machine.begin_capture(stream, mode); });
}

cudaError_t __wrap_cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return call("cudaStreamEndCapture",
              [&](Machine& machine, Machine::Lock&) { return machine.end_capture(stream, graph); });
}

cudaError_t __wrap_cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return call("cudaStreamIsCapturing", [&](Machine& machine, Machine::Lock&) {
    Stream* found = nullptr;
    if (auto const code = machine.find(stream, found)) return code;
    *status = !found->capture              ? cudaStreamCaptureStatusNone
              : found->capture->is_invalid ? cudaStreamCaptureStatusInvalidated
                                           : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return call("cudaThreadExchangeStreamCaptureMode", [&](Machine&, Machine::Lock&) {
    std::swap(*mode, capture_mode());
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaGraphInstantiate(cudaGraphExec_t* runnable, cudaGraph_t graph, unsigned long long) {
  return call("cudaGraphInstantiate",
              [&](Machine& machine, Machine::Lock&) { return machine.instantiate(runnable, graph); });
}

cudaError_t __wrap_cudaGraphLaunch(cudaGraphExec_t runnable, cudaStream_t stream) {
  return call("cudaGraphLaunch",
              [&](Machine& machine, Machine::Lock&) { return machine.launch(runnable, stream); });
}

cudaError_t __wrap_cudaGraphDestroy(cudaGraph_t graph) {
  return call("cudaGraphDestroy", [&](Machine& machine, Machine::Lock&) { return machine.destroy(graph); });
}

cudaError_t __wrap_cudaGraphExecDestroy(cudaGraphExec_t runnable) {
  return call("cudaGraphExecDestroy",
              [&](Machine& machine, Machine::Lock&) { return machine.destroy(runnable); });
}

cudaError_t __wrap_cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return call("cudaGraphGetNodes", [&](Machine& machine, Machine::Lock&) {
    auto const found = machine.graphs.find(reinterpret_cast<std::uintptr_t>(graph));
    if (found == machine.graphs.end() || nodes != nullptr) return cudaErrorInvalidValue;
    *count = found->second.nodes.size();
    return cudaSuccess;
  });
}
}
// NOLINTEND
