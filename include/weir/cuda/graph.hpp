#pragma once

#include <utility>

#include "weir/cuda/executor.hpp"

namespace weir::inline v1 {

/// Enqueued work, recorded once to be replayed again and again at the cost of one launch.
///
/// ```
/// auto const graph = weir::CudaGraph::capture(executor, [&] { sync(workers(batch, model)); });
/// graph.replay();
/// ```
/// What was captured refers to the same memory at every replay.
class CudaGraph {
 public:
  /// Calls `enqueue()`, which does not run but is recorded: what it appends to the executor's stream, and to
  /// other streams that wait for events recorded there and are waited for in turn.
  /// Errors: `CudaError`; `NotCapturable` from what cannot be recorded; what `enqueue` throws. The stream is
  /// as before then.
  template <class Function>
  static CudaGraph capture(CudaExecutor const& executor, Function&& enqueue) {
    DeviceGuard const guard(executor.device());
    refuse_capture(executor.stream(), "a capture");
    check_cuda(cudaStreamBeginCapture(executor.stream(), cudaStreamCaptureModeRelaxed),
               "cudaStreamBeginCapture");
    cudaGraph_t graph = nullptr;
    try {
      std::forward<Function>(enqueue)();
    } catch (...) {
      if (cudaStreamEndCapture(executor.stream(), &graph) == cudaSuccess) cudaGraphDestroy(graph);
      cudaGetLastError();
      throw;
    }
    check_cuda(cudaStreamEndCapture(executor.stream(), &graph), "cudaStreamEndCapture");
    cudaGraphExec_t runnable = nullptr;
    cudaError_t const code = cudaGraphInstantiate(&runnable, graph, 0);
    cudaGraphDestroy(graph);
    check_cuda(code, "cudaGraphInstantiate");
    return CudaGraph(executor, runnable);
  }

  CudaGraph(CudaGraph&& other) noexcept
      : executor_(other.executor_), runnable_(std::exchange(other.runnable_, nullptr)) {}
  CudaGraph& operator=(CudaGraph other) noexcept {
    std::swap(executor_, other.executor_);
    std::swap(runnable_, other.runnable_);
    return *this;
  }

  /// Safe while a replay is pending: CUDA lets it end.
  ~CudaGraph() {
    if (runnable_ != nullptr) cudaGraphExecDestroy(runnable_);
  }

  /// Enqueues all of it on the executor's stream.
  void replay() const {
    DeviceGuard const guard(executor_.device());
    check_cuda(cudaGraphLaunch(runnable_, executor_.stream()), "cudaGraphLaunch");
  }

 private:
  CudaGraph(CudaExecutor const& executor, cudaGraphExec_t runnable)
      : executor_(executor), runnable_(runnable) {}

  CudaExecutor executor_;
  cudaGraphExec_t runnable_;
};

}  // namespace weir::inline v1
