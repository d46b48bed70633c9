#include <algorithm>

#include "support/cuda/machine.hpp"

namespace stand_in {

/// A stream under capture cannot be waited for or asked by the host.
cudaError_t Machine::refuse_synchronisation(Stream& stream) {
  if (!stream.capture) return cudaSuccess;
  stream.capture->is_invalid = true;
  return cudaErrorStreamCaptureUnsupported;
}

cudaStreamCaptureMode& capture_mode() {
  static thread_local cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  return mode;
}

/// What may synchronise is refused while a capture runs that is not relaxed, on threads that are not either.
cudaError_t Machine::refuse_unsafe_call() {
  if (capture_mode() == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  for (auto& [handle, stream] : streams) {
    if (!stream.capture || stream.capture->is_invalid) continue;
    Capture& capture = *stream.capture;
    bool const is_mine = capture.thread == std::this_thread::get_id();
    if (capture.mode == cudaStreamCaptureModeRelaxed ||
        (capture.mode != cudaStreamCaptureModeGlobal && !is_mine))
      continue;
    if (capture_mode() == cudaStreamCaptureModeThreadLocal && !is_mine) continue;
    capture.is_invalid = true;
    return cudaErrorStreamCaptureUnsupported;
  }
  return cudaSuccess;
}

cudaError_t Machine::begin_capture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  Stream* stream = nullptr;
  if (auto const code = find(handle, stream)) return code;
  if (reinterpret_cast<std::uintptr_t>(handle) < 0x1000) return cudaErrorStreamCaptureUnsupported;
  if (stream->capture) return cudaErrorIllegalState;
  stream->capture = std::make_shared<Capture>();
  stream->capture->mode = mode;
  stream->capture->thread = std::this_thread::get_id();
  stream->capture->origin = stream;
  stream->capture->streams.push_back(stream);
  stream->chain = 0;
  stream->tails.clear();
  return cudaSuccess;
}

cudaError_t Machine::add_node(Stream& stream, Work work) {
  Capture& capture = *stream.capture;
  if (capture.is_invalid) return cudaErrorStreamCaptureInvalidated;
  capture.nodes.push_back({std::move(work), stream.chain, stream.device,
                           std::vector<std::size_t>(stream.tails.begin(), stream.tails.end())});
  stream.tails = {capture.nodes.size() - 1};
  return cudaSuccess;
}

/// A wait where the stream, or what the event marks, is being captured.
cudaError_t Machine::wait_captured(Stream& stream, Event& event) {
  if (stream.capture && stream.capture->is_invalid) return cudaErrorStreamCaptureInvalidated;
  if (!event.capture) {  // what has run before the capture
    stream.capture->is_invalid = true;
    return cudaErrorStreamCaptureIsolation;
  }
  if (event.capture->has_ended) {
    if (stream.capture) stream.capture->is_invalid = true;
    return stream.capture ? cudaErrorStreamCaptureIsolation : cudaErrorCapturedEvent;
  }
  if (stream.capture && stream.capture != event.capture) {
    stream.capture->is_invalid = event.capture->is_invalid = true;
    return cudaErrorStreamCaptureMerge;
  }
  if (event.capture->is_invalid) return cudaErrorStreamCaptureInvalidated;
  if (!stream.capture) {
    stream.capture = event.capture;
    stream.capture->streams.push_back(&stream);
    stream.chain = stream.capture->streams.size() - 1;
    stream.tails.clear();
  }
  stream.tails.insert(event.captured.begin(), event.captured.end());
  return cudaSuccess;
}

namespace {

/// Whether the last node of every stream comes before those of the first.
bool is_joined(Capture const& capture) {
  std::vector<bool> is_reached(capture.nodes.size());
  std::vector<std::size_t> open(capture.origin->tails.begin(), capture.origin->tails.end());
  while (!open.empty()) {
    std::size_t const node = open.back();
    open.pop_back();
    if (is_reached[node]) continue;
    is_reached[node] = true;
    open.insert(open.end(), capture.nodes[node].after.begin(), capture.nodes[node].after.end());
  }
  return std::all_of(is_reached.begin(), is_reached.end(), [](bool reached) { return reached; });
}

}  // namespace

cudaError_t Machine::end_capture(cudaStream_t handle, cudaGraph_t* graph) {
  Stream* stream = nullptr;
  *graph = nullptr;
  if (auto const code = find(handle, stream)) return code;
  if (!stream->capture) return cudaErrorIllegalState;
  std::shared_ptr<Capture> const capture = stream->capture;
  if (capture->origin != stream) {
    capture->is_invalid = true;
    return cudaErrorStreamCaptureUnmatched;
  }
  if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
    return cudaErrorStreamCaptureWrongThread;
  bool const joined = capture->is_invalid || is_joined(*capture);
  capture->has_ended = true;
  for (auto& [number, other] : streams) {
    if (other.capture == capture) other.capture = nullptr;
  }
  if (capture->is_invalid) return cudaErrorStreamCaptureInvalidated;
  if (!joined) return cudaErrorStreamCaptureUnjoined;
  std::uintptr_t const number = next_handle += 16;
  graphs[number] = {std::move(capture->nodes)};
  *graph = reinterpret_cast<cudaGraph_t>(number);
  return cudaSuccess;
}

cudaError_t Machine::instantiate(cudaGraphExec_t* runnable, cudaGraph_t graph) {
  auto const found = graphs.find(reinterpret_cast<std::uintptr_t>(graph));
  if (found == graphs.end()) return cudaErrorInvalidValue;
  std::uintptr_t const number = next_handle += 16;
  runnable_graphs[number] = {.nodes = found->second.nodes, .lanes = {}};
  *runnable = reinterpret_cast<cudaGraphExec_t>(number);
  return cudaSuccess;
}

cudaError_t Machine::launch(cudaGraphExec_t runnable, cudaStream_t handle) {
  auto const found = runnable_graphs.find(reinterpret_cast<std::uintptr_t>(runnable));
  if (found == runnable_graphs.end()) return cudaErrorInvalidValue;
  RunnableGraph& graph = found->second;
  Stream* stream = nullptr;
  if (auto const code = find(handle, stream)) return code;
  if (stream->capture) {  // would be a child graph, which weir does not use
    stream->capture->is_invalid = true;
    return cudaErrorStreamCaptureUnsupported;
  }
  if (auto const code = enqueue(handle, {.name = "the begin of a graph"})) return code;
  OperationPtr const begin = stream->lane->last;
  if (graph.last) {  // launches of one graph run one after another
    begin->after.push_back(graph.last);
    begin->clock.join(graph.last->clock);
    stream->lane->clock.join(graph.last->clock);
  }
  std::vector<OperationPtr> operations;
  for (Node const& node : graph.nodes) {
    if (graph.lanes.size() <= node.chain) graph.lanes.resize(node.chain + 1, nullptr);
    if (graph.lanes[node.chain] == nullptr) {
      std::string const name = "captured stream " + std::to_string(node.chain);
      graph.lanes[node.chain] = &new_lane(node.device, name, false);
    }
    std::vector<OperationPtr> after{begin};
    for (std::size_t const other : node.after) after.push_back(operations[other]);
    operations.push_back(append(*graph.lanes[node.chain], node.work, std::move(after)));
  }
  append(*stream->lane, {.name = "the end of a graph"}, std::move(operations));
  graph.last = stream->lane->last;
  return cudaSuccess;
}

cudaError_t Machine::destroy(cudaGraph_t graph) {
  return graphs.erase(reinterpret_cast<std::uintptr_t>(graph)) != 0 ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t Machine::destroy(cudaGraphExec_t runnable) {
  std::uintptr_t const number = reinterpret_cast<std::uintptr_t>(runnable);
  if (runnable_graphs.erase(number) != 0) return cudaSuccess;
  if (lost.count(number) == 0) violation("a graph is destroyed that does not exist");
  return cudaErrorInvalidValue;
}

}  // namespace stand_in
