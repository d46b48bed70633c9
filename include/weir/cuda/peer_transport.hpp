#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "weir/comm/place_workers.hpp"
#include "weir/comm/remote_stream_transport.hpp"
#include "weir/core/error.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/device_guard.hpp"
#include "weir/cuda/device_stream_executor.hpp"

namespace weir::inline v1 {

struct PeerTransportOptions {
  std::vector<std::size_t> devices = {};  // of each worker, in the list; empty: as many on each, in order
};

/// Messages between the workers of a pipeline that are streams of several devices of one process:
/// `InterleavedPipeline<CudaExecutor, float, Single, PeerTransport<CudaExecutor>> pipe{first, table, options,
/// {}, PeerTransport<CudaExecutor>{{first, second}}}`. What a stage has is on its worker's device, its
/// weights too: the caller gives a view of each parameter.
///
/// Cost: a copy from device to device a message, which is direct where the caller has enabled access between
/// the two, and some events; nothing is allocated after `open`.
/// Streams: copies have a stream for each pair of workers and kind, of the sender's device.
template <DeviceStreamExecutor E>
class PeerTransport {
 public:
  /// An executor of each device.
  explicit PeerTransport(std::vector<E> devices, PeerTransportOptions options = {})
      : devices_(std::move(devices)), options_(std::move(options)) {}

  /// Errors: `ContractViolation` for a placement that cannot be.
  std::vector<std::size_t> places(std::uint32_t workers) {
    places_ = detail::place_workers("PeerTransport, of devices as ranks", options_.devices, workers,
                                    devices_.size());
    return places_;
  }
  bool is_here(std::size_t) const { return true; }
  E const& executor(std::size_t place) const { return devices_[place]; }

  void open(std::span<PipelineEdge const> edges, MessageNumbers const&, E const&) {
    for (PipelineEdge const& edge : edges) streams_.push_back(devices_[places_[edge.from]].fork());
  }

  std::span<E const> streams() const { return streams_; }
  E const& stream(std::size_t edge) const { return streams_[edge]; }

  void transfer(std::span<StreamTransfer const> transfers) {
    for (StreamTransfer const& transfer : transfers) {
      E const& stream = streams_[transfer.edge];
      DeviceGuard const guard(device_of(stream));
      check_cuda(
          cudaMemcpyAsync(transfer.to, transfer.from, transfer.bytes, cudaMemcpyDefault, stream.stream()),
          "cudaMemcpyAsync");
    }
  }

  void check() {}
  std::optional<StreamTransfer> oldest() const { return {}; }
  void cancel() noexcept {}
  void clear() {}

 private:
  std::vector<E> devices_;
  PeerTransportOptions options_;
  std::vector<std::size_t> places_;  // by worker
  std::vector<E> streams_;           // by edge
};

}  // namespace weir::inline v1
