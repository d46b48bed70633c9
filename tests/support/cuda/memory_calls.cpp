// Functions that the linker puts in the place of those of the CUDA runtime: memory and errors.
#include "support/cuda/call.hpp"

namespace stand_in {

namespace {

template <class Function>
cudaError_t synchronous(Machine& machine, Machine::Lock& lock, Function const& enqueue) {
  if (auto const code = machine.refuse_unsafe_call()) return code;
  if (auto const code = enqueue()) return code;
  Stream* stream = nullptr;
  if (auto const code = machine.find(cudaStream_t{}, stream)) return code;
  return synchronize(machine, lock, stream->lane->last);
}

}  // namespace

}  // namespace stand_in

using namespace stand_in;

// NOLINTBEGIN: the names are the linker's
extern "C" {

char const* __wrap_cudaGetErrorName(cudaError_t code) {
  switch (code) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorCudartUnloading:
      return "cudaErrorCudartUnloading";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    case cudaErrorIllegalState:
      return "cudaErrorIllegalState";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorContextIsDestroyed:
      return "cudaErrorContextIsDestroyed";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorLaunchTimeout:
      return "cudaErrorLaunchTimeout";
    case cudaErrorNotPermitted:
      return "cudaErrorNotPermitted";
    case cudaErrorNotSupported:
      return "cudaErrorNotSupported";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated:
      return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureMerge:
      return "cudaErrorStreamCaptureMerge";
    case cudaErrorStreamCaptureUnmatched:
      return "cudaErrorStreamCaptureUnmatched";
    case cudaErrorStreamCaptureUnjoined:
      return "cudaErrorStreamCaptureUnjoined";
    case cudaErrorStreamCaptureIsolation:
      return "cudaErrorStreamCaptureIsolation";
    case cudaErrorStreamCaptureImplicit:
      return "cudaErrorStreamCaptureImplicit";
    case cudaErrorCapturedEvent:
      return "cudaErrorCapturedEvent";
    case cudaErrorStreamCaptureWrongThread:
      return "cudaErrorStreamCaptureWrongThread";
    case cudaErrorUnknown:
      return "cudaErrorUnknown";
    default:
      return "an error of CUDA";
  }
}

char const* __wrap_cudaGetErrorString(cudaError_t code) {
  return code == cudaErrorMemoryAllocation ? "out of memory" : "a failure of the stand-in";
}

cudaError_t __wrap_cudaGetLastError() {
  return std::exchange(last_error(), cudaSuccess);
}

cudaError_t __wrap_cudaPeekAtLastError() {
  return last_error();
}

// Memory

cudaError_t __wrap_cudaMalloc(void** memory, std::size_t bytes) {
  return call("cudaMalloc", [&](Machine& machine, Machine::Lock&) {
    if (auto const code = machine.refuse_unsafe_call()) return code;
    return machine.allocate(memory, bytes, Allocation::Kind::device);
  });
}

cudaError_t __wrap_cudaFree(void* memory) {
  return call("cudaFree", [&](Machine& machine, Machine::Lock& lock) {
    if (auto const code = machine.refuse_unsafe_call()) return code;
    return machine.release(memory, false, lock);
  });
}

cudaError_t __wrap_cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t stream) {
  return call("cudaMallocAsync", [&](Machine& machine, Machine::Lock&) {
    return machine.allocate_in_stream(memory, bytes, stream);
  });
}

cudaError_t __wrap_cudaMallocFromPoolAsync(void** memory, std::size_t bytes, cudaMemPool_t,
                                           cudaStream_t stream) {
  return call("cudaMallocFromPoolAsync", [&](Machine& machine, Machine::Lock&) {
    return machine.allocate_in_stream(memory, bytes, stream);
  });
}

cudaError_t __wrap_cudaFreeAsync(void* memory, cudaStream_t stream) {
  return call("cudaFreeAsync",
              [&](Machine& machine, Machine::Lock&) { return machine.free_in_stream(memory, stream); });
}

cudaError_t __wrap_cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  return call("cudaHostAlloc", [&](Machine& machine, Machine::Lock&) {
    if (auto const code = machine.refuse_unsafe_call()) return code;
    return machine.allocate(memory, bytes, Allocation::Kind::pinned);
  });
}

cudaError_t __wrap_cudaMallocHost(void** memory, std::size_t bytes) {
  return call("cudaMallocHost", [&](Machine& machine, Machine::Lock&) {
    if (auto const code = machine.refuse_unsafe_call()) return code;
    return machine.allocate(memory, bytes, Allocation::Kind::pinned);
  });
}

cudaError_t __wrap_cudaFreeHost(void* memory) {
  return call("cudaFreeHost", [&](Machine& machine, Machine::Lock& lock) {
    if (auto const code = machine.refuse_unsafe_call()) return code;
    return machine.release(memory, true, lock);
  });
}

cudaError_t __wrap_cudaPointerGetAttributes(cudaPointerAttributes* attributes, void const* pointer) {
  return call("cudaPointerGetAttributes", [&](Machine& machine, Machine::Lock&) {
    *attributes = {};
    Allocation const* const allocation = machine.allocation_at(pointer);
    void* const same = const_cast<void*>(pointer);
    attributes->device = allocation != nullptr ? allocation->device : -2;
    attributes->type = allocation == nullptr      ? cudaMemoryTypeUnregistered
                       : allocation->is_on_host() ? cudaMemoryTypeHost
                                                  : cudaMemoryTypeDevice;
    if (allocation != nullptr) attributes->devicePointer = same;
    if (allocation == nullptr || allocation->is_on_host()) attributes->hostPointer = same;
    return cudaSuccess;
  });
}

cudaError_t __wrap_cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind,
                                   cudaStream_t stream) {
  return call("cudaMemcpyAsync", [&](Machine& machine, Machine::Lock& lock) {
    return machine.copy(to, from, bytes, kind, stream, lock);
  });
}

cudaError_t __wrap_cudaMemcpy(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind) {
  return call("cudaMemcpy", [&](Machine& machine, Machine::Lock& lock) {
    return synchronous(machine, lock, [&] { return machine.copy(to, from, bytes, kind, nullptr, lock); });
  });
}

cudaError_t __wrap_cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  return call("cudaMemsetAsync",
              [&](Machine& machine, Machine::Lock&) { return machine.set(memory, value, bytes, stream); });
}

cudaError_t __wrap_cudaMemset(void* memory, int value, std::size_t bytes) {
  return call("cudaMemset", [&](Machine& machine, Machine::Lock& lock) {
    return synchronous(machine, lock, [&] { return machine.set(memory, value, bytes, nullptr); });
  });
}
}
// NOLINTEND
