#pragma once

#include <nccl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/message_numbers.hpp"
#include "weir/comm/place_workers.hpp"
#include "weir/comm/remote_stream_transport.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/device_guard.hpp"
#include "weir/cuda/device_stream_executor.hpp"
#include "weir/cuda/pinned_memory.hpp"
#include "weir/nccl/communicator.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

struct NcclTransportOptions {
  std::vector<std::size_t> ranks = {};  // of each worker; empty: as many on each rank, in order
};

/// Messages between the workers of a pipeline that are divided over the ranks of a communicator, a GPU each:
/// `InterleavedPipeline<CudaExecutor, float, Single, NcclTransport<CudaExecutor>> pipe{exec, table, options,
/// {}, NcclTransport<CudaExecutor>{communicator}}`. Each rank gives the whole table, and has the weights of
/// its own stages.
///
/// NCCL has no tags: the k-th send to a rank meets its k-th receive. All ranks enqueue the transfers in one
/// order, so that these are of one message, also where a table's messages overtake each other. There are two
/// communicators, for outputs and for gradients, each with a stream. A rank that sends and receives at the
/// same time does both at once. Cost: a launch and some events a message; nothing is allocated after the
/// first run, which makes the connections.
/// Streams: transfers wait for the workers' streams by events, and these go on behind what they receive.
/// Errors: from the constructor and `open`, which all ranks call, those of a communicator;
/// `ContractViolation` for a placement; `FingerprintMismatch` if the tables or layouts of the ranks differ.
/// From `check` and `transfer` those of a communicator, whose deadline is for one message, from the time when
/// this rank is ready for it, with what its sender still computes. After a failure it is of no use any more,
/// on any rank. What a graph replays is not watched, but for NCCL's own errors.
template <DeviceStreamExecutor E>
class NcclTransport {
 public:
  /// All ranks of `communicator` call it, which is split.
  explicit NcclTransport(NcclCommunicator const& communicator, NcclTransportOptions options = {})
      : ways_{Way(communicator), Way(communicator)}, options_(std::move(options)) {}

  std::vector<std::size_t> places(std::uint32_t workers) {
    places_ = detail::place_workers("NcclTransport", options_.ranks, workers, ways_[0].communicator.size());
    return places_;
  }
  bool is_here(std::size_t place) const { return place == ways_[0].communicator.rank(); }

  void open(std::span<PipelineEdge const> edges, MessageNumbers const& numbers, E const& executor) {
    edges_.assign(edges.begin(), edges.end());
    for (std::size_t i = 0; i < ways_.size(); ++i) streams_.push_back(executor.fork());
    std::uint64_t hash = layout_hash(layout_hash_seed, numbers.layout);
    for (std::size_t const place : places_) hash = layout_hash(hash, place);
    check_agreement(hash);
  }

  std::span<E const> streams() const { return streams_; }
  E const& stream(std::size_t edge) const { return streams_[edges_[edge].is_forward ? 0 : 1]; }

  void transfer(std::span<StreamTransfer const> transfers) {
    std::array<Side, 2> sides;
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      StreamTransfer const& transfer = transfers[i];
      bool const is_send = transfer.from != nullptr;
      PipelineEdge const& edge = edges_[transfer.edge];
      sides[i] = {is_send ? Side::Direction::send : Side::Direction::receive, WireType::bytes,
                  places_[is_send ? edge.to : edge.from], transfer.bytes,
                  is_send ? const_cast<std::byte*>(transfer.from) : transfer.to};
    }
    Way& way = way_of(transfers[0].edge);
    way.latest[way.count++ % way.latest.size()] = transfers[0];
    way.communicator.exchange(stream(transfers[0].edge),
                              std::span<Side const>(sides.data(), transfers.size()));
  }

  /// Errors: `PeerTimeout` that names the message and its edge.
  void check() {
    for (Way& way : ways_) {
      try {
        way.communicator.check();
      } catch (PeerTimeout const& error) {
        oldest_ = way.oldest();
        if (!oldest_) throw;
        throw PeerTimeout(error, "; it was " + text(oldest_->tag) + " on " + text(edges_[oldest_->edge]));
      } catch (...) {
        oldest_ = way.oldest();
        for (Way const& other : ways_) {
          if (!oldest_) oldest_ = other.oldest();
        }
        throw;
      }
    }
  }
  std::optional<StreamTransfer> oldest() const { return oldest_; }

  void cancel() noexcept {
    for (Way& way : ways_) way.communicator.abort();
  }

  /// Errors: `ContractViolation` after a failure.
  void clear() {
    for (Way const& way : ways_) {
      if (!way.communicator.is_aborted()) continue;
      throw ContractViolation(
          "a pipeline over NCCL that has failed cannot be reset, as its communicators were aborted; "
          "one over a new transport would be right");
    }
  }

 private:
  using Side = Transfer<DeviceSpace>;

  struct Way {
    explicit Way(NcclCommunicator const& of) : communicator(of.split(0, of.rank())), latest(1024) {}

    /// None if it is so long ago that others have taken its place.
    std::optional<StreamTransfer> oldest() const {
      auto const operation = communicator.oldest();
      if (!operation || operation->operation != CommOperation::exchange) return {};
      if (operation->sequence == 0 || count - operation->sequence >= latest.size()) return {};
      return latest[(operation->sequence - 1) % latest.size()];
    }

    NcclCommunicator communicator;
    std::vector<StreamTransfer> latest;
    std::uint64_t count = 0;
  };

  Way& way_of(std::size_t edge) { return ways_[edges_[edge].is_forward ? 0 : 1]; }

  /// All ranks have the same table, layouts and placement.
  void check_agreement(std::uint64_t mine) const {
    NcclCommunicator const& communicator = ways_[0].communicator;
    E const& stream = streams_[0];
    DeviceGuard const guard(communicator.device());
    Buffer<std::uint64_t, E> const all(stream, communicator.size());
    Buffer<std::uint64_t, PinnedMemory> const hashes(PinnedMemory{}, communicator.size());
    hashes.data()[0] = mine;
    std::uint64_t* const place = all.data() + communicator.rank();
    check_cuda(cudaMemcpyAsync(place, hashes.data(), sizeof(mine), cudaMemcpyHostToDevice, stream.stream()),
               "cudaMemcpyAsync");
    communicator.all_gather(stream, TensorView<std::uint64_t const, DeviceSpace>(place, 1),
                            TensorView<std::uint64_t, DeviceSpace>(all.data(), all.size()));
    while (!communicator.poll(std::chrono::milliseconds(100))) {
    }
    check_cuda(cudaMemcpyAsync(hashes.data(), all.data(), all.size() * sizeof(mine), cudaMemcpyDeviceToHost,
                               stream.stream()),
               "cudaMemcpyAsync");
    stream.synchronize();
    for (std::size_t rank = 1; rank < hashes.size(); ++rank) {
      if (hashes.data()[rank] != hashes.data()[0])
        throw FingerprintMismatch(
            "NcclTransport: the table, the layouts of stages or the placement of rank " +
            std::to_string(rank) + " are not those of rank 0");
    }
  }

  std::array<Way, 2> ways_;  // of outputs, of gradients
  NcclTransportOptions options_;
  std::vector<std::size_t> places_;  // by worker
  std::vector<PipelineEdge> edges_;
  std::vector<E> streams_;  // by way
  std::optional<StreamTransfer> oldest_;
};

}  // namespace weir::inline v1
