#pragma once

#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

// Rules of the CUDA runtime that the tests of the CUDA backend rely on. The same cases run on the stand-in
// and, on a machine with a GPU, on CUDA itself, so that the stand-in cannot allow what CUDA forbids.

namespace runtime_rules {

struct Stream {
  Stream() { REQUIRE(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking) == cudaSuccess); }
  Stream(Stream const&) = delete;
  Stream& operator=(Stream const&) = delete;
  ~Stream() { cudaStreamDestroy(handle); }
  operator cudaStream_t() const { return handle; }
  cudaStream_t handle = nullptr;
};

struct Event {
  Event() { REQUIRE(cudaEventCreateWithFlags(&handle, cudaEventDisableTiming) == cudaSuccess); }
  Event(Event const&) = delete;
  Event& operator=(Event const&) = delete;
  ~Event() { cudaEventDestroy(handle); }
  operator cudaEvent_t() const { return handle; }
  cudaEvent_t handle = nullptr;
};

inline void begin(cudaStream_t stream) {
  REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed) == cudaSuccess);
}

/// Ends a capture; its result.
inline cudaError_t end(cudaStream_t stream) {
  cudaGraph_t graph = nullptr;
  cudaError_t const code = cudaStreamEndCapture(stream, &graph);
  CHECK((graph != nullptr) == (code == cudaSuccess));
  if (graph != nullptr) cudaGraphDestroy(graph);
  cudaGetLastError();
  return code;
}

inline bool is_capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  REQUIRE(cudaStreamIsCapturing(stream, &status) == cudaSuccess);
  return status != cudaStreamCaptureStatusNone;
}

inline void check_all() {
  SUBCASE("an event that was never recorded has been reached, and nobody waits for it") {
    Stream const stream;
    Event const event;
    CHECK(cudaEventQuery(event) == cudaSuccess);
    CHECK(cudaEventSynchronize(event) == cudaSuccess);
    CHECK(cudaStreamWaitEvent(stream, event, 0) == cudaSuccess);
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  }

  SUBCASE("an error is told once by cudaGetLastError") {
    CHECK(cudaSetDevice(1000) == cudaErrorInvalidDevice);
    CHECK(cudaPeekAtLastError() == cudaErrorInvalidDevice);
    CHECK(cudaGetLastError() == cudaErrorInvalidDevice);
    CHECK(cudaGetLastError() == cudaSuccess);
  }

  SUBCASE("no bytes are no memory") {
    void* memory = &memory;
    CHECK(cudaMalloc(&memory, 0) == cudaSuccess);
    CHECK(memory == nullptr);
    CHECK(cudaFree(nullptr) == cudaSuccess);
    CHECK(cudaFreeHost(nullptr) == cudaSuccess);
  }

  SUBCASE("a stream that waits for an event of a capture joins it, and leaves it at its end") {
    Stream const first;
    Stream const second;
    Event const there;
    Event const back;
    begin(first);
    CHECK(cudaEventRecord(there, first) == cudaSuccess);
    CHECK(!is_capturing(second));
    CHECK(cudaStreamWaitEvent(second, there, 0) == cudaSuccess);
    CHECK(is_capturing(second));
    CHECK(cudaEventRecord(back, second) == cudaSuccess);
    CHECK(cudaStreamWaitEvent(first, back, 0) == cudaSuccess);
    CHECK(end(first) == cudaSuccess);
    CHECK(!is_capturing(first));
    CHECK(!is_capturing(second));
  }

  SUBCASE("a stream that has joined and is not waited for: unjoined") {
    Stream const first;
    Stream const second;
    Event const there;
    void* memory = nullptr;
    REQUIRE(cudaMalloc(&memory, 16) == cudaSuccess);
    begin(first);
    CHECK(cudaEventRecord(there, first) == cudaSuccess);
    CHECK(cudaStreamWaitEvent(second, there, 0) == cudaSuccess);
    CHECK(cudaMemsetAsync(memory, 0, 16, second) == cudaSuccess);
    CHECK(end(first) == cudaErrorStreamCaptureUnjoined);
    CHECK(!is_capturing(first));
    CHECK(!is_capturing(second));
    CHECK(cudaFree(memory) == cudaSuccess);
  }

  SUBCASE("a wait for what was recorded outside: isolation, and the capture is invalid") {
    Stream const first;
    Stream const second;
    Event const outside;
    CHECK(cudaEventRecord(outside, second) == cudaSuccess);
    begin(first);
    CHECK(cudaStreamWaitEvent(first, outside, 0) == cudaErrorStreamCaptureIsolation);
    CHECK(end(first) == cudaErrorStreamCaptureInvalidated);
    CHECK(!is_capturing(first));
  }

  SUBCASE("the host cannot wait for a stream under capture: unsupported, and the capture is invalid") {
    Stream const stream;
    begin(stream);
    CHECK(cudaStreamSynchronize(stream) == cudaErrorStreamCaptureUnsupported);
    CHECK(end(stream) == cudaErrorStreamCaptureInvalidated);
    begin(stream);
    CHECK(cudaStreamQuery(stream) == cudaErrorStreamCaptureUnsupported);
    CHECK(end(stream) == cudaErrorStreamCaptureInvalidated);
  }

  SUBCASE("the host cannot ask for an event that was recorded in a capture, also when it has ended") {
    Stream const stream;
    Event const event;
    begin(stream);
    CHECK(cudaEventRecord(event, stream) == cudaSuccess);
    CHECK(cudaEventQuery(event) == cudaErrorCapturedEvent);
    end(stream);
    CHECK(cudaEventQuery(event) == cudaErrorCapturedEvent);
    CHECK(cudaEventSynchronize(event) == cudaErrorCapturedEvent);
    CHECK(cudaEventRecord(event, stream) == cudaSuccess);
    CHECK(cudaEventSynchronize(event) == cudaSuccess);
  }

  SUBCASE("captures begin once, and end where they began") {
    Stream const first;
    Stream const second;
    Event const there;
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamEndCapture(first, &graph) == cudaErrorIllegalState);
    begin(first);
    CHECK(cudaStreamBeginCapture(first, cudaStreamCaptureModeRelaxed) == cudaErrorIllegalState);
    CHECK(cudaEventRecord(there, first) == cudaSuccess);
    CHECK(cudaStreamWaitEvent(second, there, 0) == cudaSuccess);
    CHECK(cudaStreamEndCapture(second, &graph) == cudaErrorStreamCaptureUnmatched);
    end(first);
    CHECK(!is_capturing(first));
    CHECK(!is_capturing(second));
  }

  SUBCASE("two captures cannot meet") {
    Stream const first;
    Stream const second;
    Event const there;
    begin(first);
    begin(second);
    CHECK(cudaEventRecord(there, first) == cudaSuccess);
    CHECK(cudaStreamWaitEvent(second, there, 0) == cudaErrorStreamCaptureMerge);
    CHECK(end(first) != cudaSuccess);
    CHECK(end(second) != cudaSuccess);
  }

  SUBCASE("memory can be taken during a relaxed capture, not during a global one") {
    Stream const stream;
    void* memory = nullptr;
    begin(stream);
    CHECK(cudaMalloc(&memory, 16) == cudaSuccess);
    CHECK(end(stream) == cudaSuccess);
    CHECK(cudaFree(memory) == cudaSuccess);
    REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
    CHECK(cudaMalloc(&memory, 16) == cudaErrorStreamCaptureUnsupported);
    CHECK(end(stream) == cudaErrorStreamCaptureInvalidated);
  }

  SUBCASE("replays of a graph run one after another") {
    Stream const stream;
    unsigned char* memory = nullptr;
    unsigned char on_host[16] = {};
    REQUIRE(cudaMalloc(reinterpret_cast<void**>(&memory), 16) == cudaSuccess);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t runnable = nullptr;
    begin(stream);
    CHECK(cudaMemsetAsync(memory, 7, 16, stream) == cudaSuccess);
    REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
    REQUIRE(cudaGraphInstantiate(&runnable, graph, 0) == cudaSuccess);
    CHECK(cudaGraphDestroy(graph) == cudaSuccess);
    CHECK(cudaMemsetAsync(memory, 1, 16, stream) == cudaSuccess);
    CHECK(cudaGraphLaunch(runnable, stream) == cudaSuccess);
    CHECK(cudaGraphLaunch(runnable, stream) == cudaSuccess);
    CHECK(cudaGraphExecDestroy(runnable) == cudaSuccess);
    CHECK(cudaMemcpyAsync(on_host, memory, 16, cudaMemcpyDeviceToHost, stream) == cudaSuccess);
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
    CHECK(on_host[0] == 7);
    CHECK(on_host[15] == 7);
    CHECK(cudaFree(memory) == cudaSuccess);
  }
  cudaGetLastError();
}

}  // namespace runtime_rules
