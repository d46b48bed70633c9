#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/comm/check_arguments.hpp"
#include "weir/comm/concepts.hpp"
#include "weir/core/clock.hpp"
#include "weir/cuda/capture.hpp"
#include "weir/cuda/device_stream_executor.hpp"
#include "weir/cuda/pinned_memory.hpp"
#include "weir/cuda/staging_pipeline.hpp"
#include "weir/exec/immediate_executor.hpp"

namespace weir::inline v1 {

struct StagingOptions {
  std::size_t chunk_bytes = std::size_t{4} << 20;  // the same on all ranks, at least 4 KiB
};

/// Device memory over a communicator of host memory, such as an `MpiCommunicator`: staged through pinned
/// memory in chunks, one on its way from the device, one between the ranks and one on its way back.
///
/// ```
/// weir::StagedCommunicator const communicator{weir::MpiCommunicator(MPI_COMM_WORLD)};
/// ```
/// Results, fingerprints and errors are those of the communicator below, a collective for each chunk.
/// Cost: three chunks of pinned memory, taken by `reserve` or the first operation from `Source`, and more for
/// an `exchange` of more than 16 messages; two streams. Streams: ordered with the executor's stream, but an
/// operation waits: for what was enqueued before, and for the other ranks. It returns when the last chunk is
/// on its way back. With a launch thread that happens there, and the caller goes on. Errors: `NotCapturable`
/// during a capture; `ContractViolation` for executors of two devices. After a failure the pinned memory is
/// kept until the program ends, because a transport may still write to it.
template <DescribedCommunicator Communicator, MemorySource Source = PinnedMemory>
requires std::same_as<typename Source::memory_space, HostSpace>
class StagedCommunicator {
 public:
  static constexpr bool stream_ordered = false;
  static constexpr bool device_pointers = false;
  static constexpr bool capturable = false;
  static constexpr bool bounded_wait = Communicator::bounded_wait;
  static constexpr std::size_t max_count = Communicator::max_count;

  explicit StagedCommunicator(Communicator communicator, StagingOptions const& options = {},
                              Source source = Source())
      : member_(std::make_shared<Member>(std::move(communicator), options, std::move(source))) {}

  std::size_t rank() const { return member_->communicator.rank(); }
  std::size_t size() const { return member_->communicator.size(); }

  /// The communicator below.
  Communicator const& communicator() const { return member_->communicator; }

  template <DeviceStreamExecutor E>
  void reserve(E const& executor, std::size_t bytes) const {
    DeviceGuard const guard(device_of(executor));
    member_->reserve(device_of(executor));
    Communicator const& below = member_->communicator;
    std::size_t const largest = std::min(bytes, member_->chunk_bytes);
    if constexpr (requires { below.reserve(member_->host, largest); }) below.reserve(member_->host, largest);
  }

  template <DeviceStreamExecutor E, Reducible T>
  requires ReducingCommunicator<Communicator, ImmediateExecutor<Source>, T>
  void all_reduce(E const& executor, TensorView<T, DeviceSpace> data, ReduceOp op = ReduceOp::sum) const {
    detail::check_op<T>(op);
    enqueue(executor, "all_reduce", [data, op](Member& member, cudaStream_t stream) {
      Chunks const chunks(data.size(), member.chunk_bytes / sizeof(T));
      member.pipeline->run(
          stream, chunks.count(),
          [&](std::size_t i, std::byte* slot, cudaStream_t down) {
            copy(data.data() + chunks.begin(i), slot, chunks.size(i), down);
          },
          [&](std::size_t i, std::byte* slot) {
            member.communicator.all_reduce(member.host, host_view<T>(slot, chunks.size(i)), op);
          },
          [&](std::size_t i, std::byte const* slot, cudaStream_t up) {
            copy(elements<T>(slot), data.data() + chunks.begin(i), chunks.size(i), up);
          });
    });
  }

  /// Shapes: `all` is `size()` blocks. `block` may be the own place in `all`.
  template <DeviceStreamExecutor E, Transferable T>
  requires GatheringCommunicator<Communicator, ImmediateExecutor<Source>, T>
  void all_gather(E const& executor, TensorView<std::type_identity_t<T> const, DeviceSpace> block,
                  TensorView<T, DeviceSpace> all) const {
    detail::check_gather(rank(), size(), block.data(), block.size(), all.data(), all.size());
    enqueue(executor, "all_gather", [block, all](Member& member, cudaStream_t stream) {
      std::size_t const ranks = member.communicator.size();
      Chunks const chunks(block.size(), member.chunk_bytes / sizeof(T) / ranks);
      member.pipeline->run(
          stream, chunks.count(),
          [&](std::size_t i, std::byte* slot, cudaStream_t down) {
            std::byte* const own = slot + member.communicator.rank() * chunks.size(i) * sizeof(T);
            copy(block.data() + chunks.begin(i), own, chunks.size(i), down);
          },
          [&](std::size_t i, std::byte* slot) {
            auto const gathered = host_view<T>(slot, ranks * chunks.size(i));
            auto const own = gathered.part(member.communicator.rank() * chunks.size(i), chunks.size(i));
            member.communicator.all_gather(member.host, TensorView<T const, HostSpace>(own), gathered);
          },
          [&](std::size_t i, std::byte const* slot, cudaStream_t up) {
            for (std::size_t r = 0; r < ranks; ++r) {
              copy(elements<T>(slot) + r * chunks.size(i), all.data() + r * block.size() + chunks.begin(i),
                   chunks.size(i), up);
            }
          });
    });
  }

  /// Shapes: `part` is elements n*r/R to n*(r+1)/R of the sum, or `boundaries[r]` to `boundaries[r + 1]`; it
  /// may be the own place in `all`. The boundaries live until the work has run.
  template <DeviceStreamExecutor E, Reducible T>
  requires ScatteringCommunicator<Communicator, ImmediateExecutor<Source>, T>
  void reduce_scatter(E const& executor, TensorView<std::type_identity_t<T> const, DeviceSpace> all,
                      TensorView<T, DeviceSpace> part, ReduceOp op = ReduceOp::sum,
                      std::span<std::size_t const> boundaries = {}) const {
    detail::check_op<T>(op);
    detail::PartBoundaries const parts(boundaries, all.size(), size());
    detail::check_scatter<T>(parts, rank(), all.data(), all.size(), part.data(), part.size());
    enqueue(executor, "reduce_scatter",
            [all = all.data(), part = part.data(), op, parts](Member& member, cudaStream_t stream) {
              scatter(member, stream, all, part, op, parts);
            });
  }

  template <DeviceStreamExecutor E, Transferable T>
  requires BroadcastingCommunicator<Communicator, ImmediateExecutor<Source>, T>
  void broadcast(E const& executor, TensorView<T, DeviceSpace> data, std::size_t root) const {
    detail::check_root(root, size());
    enqueue(executor, "broadcast", [data, root](Member& member, cudaStream_t stream) {
      bool const is_root = member.communicator.rank() == root;
      Chunks const chunks(data.size(), member.chunk_bytes / sizeof(T));
      member.pipeline->run(
          stream, chunks.count(),
          [&](std::size_t i, std::byte* slot, cudaStream_t down) {
            if (is_root) copy(data.data() + chunks.begin(i), slot, chunks.size(i), down);
          },
          [&](std::size_t i, std::byte* slot) {
            member.communicator.broadcast(member.host, host_view<T>(slot, chunks.size(i)), root);
          },
          [&](std::size_t i, std::byte const* slot, cudaStream_t up) {
            if (!is_root) copy(elements<T>(slot), data.data() + chunks.begin(i), chunks.size(i), up);
          });
    });
  }

  /// Streams: the transfers and their memory live until the work has run. Every message is sent in pieces of
  /// a sixteenth of a chunk, one of each message at a time.
  template <DeviceStreamExecutor E>
  requires PointToPointCommunicator<Communicator, ImmediateExecutor<Source>>
  void exchange(E const& executor, std::span<Transfer<DeviceSpace> const> transfers) const {
    detail::check_peers(transfers, size());
    enqueue(executor, "exchange",
            [transfers](Member& member, cudaStream_t stream) { exchange_pieces(member, stream, transfers); });
  }

  /// Makes every rank that waits, or will wait, throw `PeerAborted`. From any thread.
  void abort() const noexcept { member_->communicator.abort(); }

  /// Of the communicator below: whether what has been handed to it has ended.
  bool poll(std::chrono::milliseconds deadline) const requires requires(Communicator const& below) {
    below.poll(deadline);
  }
  { return member_->communicator.poll(deadline); }

  /// With the same options and source.
  StagedCommunicator split(std::size_t color, std::size_t key) const
      requires(SplittingCommunicator<Communicator>) {
    return StagedCommunicator(member_->communicator.split(color, key), {member_->chunk_bytes},
                              member_->source);
  }

 private:
  using Pipeline = detail::StagingPipeline<Source>;
  using HostTransfer = Transfer<HostSpace>;
  static constexpr std::size_t pieces_in_a_chunk = 16;

  struct Member {
    Member(Communicator below, StagingOptions const& options, Source memory)
        : communicator(std::move(below)), source(memory), host(memory), chunk_bytes(options.chunk_bytes) {
      if (chunk_bytes < 4096) throw ContractViolation("StagedCommunicator: chunks have at least 4 KiB");
      // One element of every rank has to fit.
      if (chunk_bytes < 1024 * communicator.size()) chunk_bytes = 1024 * communicator.size();
    }

    Member(Member const&) = delete;
    Member& operator=(Member const&) = delete;

    ~Member() {
      if (has_failed) (void)pipeline.release();
    }

    void reserve(int device) {
      if (pipeline == nullptr) pipeline = std::make_unique<Pipeline>(device, source, chunk_bytes);
      if (device == pipeline->device()) return;
      throw ContractViolation("StagedCommunicator: the executor's stream is on device " +
                              std::to_string(device) + ", an earlier one was on device " +
                              std::to_string(pipeline->device()));
    }

    Communicator communicator;
    Source source;
    ImmediateExecutor<Source> host;
    std::size_t chunk_bytes;
    std::unique_ptr<Pipeline> pipeline;
    bool has_failed = false;
    std::vector<std::size_t> boundaries;
    std::vector<HostTransfer> pieces;
  };

  /// `total` elements in chunks of at most `longest`.
  class Chunks {
   public:
    Chunks(std::size_t total, std::size_t longest) : total_(total), longest_(longest) {}
    std::size_t count() const { return total_ / longest_ + (total_ % longest_ != 0 ? 1 : 0); }
    std::size_t begin(std::size_t chunk) const { return chunk * longest_; }
    std::size_t size(std::size_t chunk) const { return size(total_, chunk); }
    /// Of a vector of another length that is cut in the same way.
    std::size_t size(std::size_t total, std::size_t chunk) const {
      return begin(chunk) < total ? std::min(longest_, total - begin(chunk)) : 0;
    }

   private:
    std::size_t total_;
    std::size_t longest_;
  };

  template <class T>
  static T const* elements(std::byte const* memory) {
    return reinterpret_cast<T const*>(memory);
  }
  /// Chunks are large enough for one of every rank.
  template <class T>
  static TensorView<T, HostSpace> host_view(std::byte* memory, std::size_t count) {
    static_assert(sizeof(T) <= 512, "elements of at most 512 bytes are staged");
    return {reinterpret_cast<T*>(memory), count};
  }

  template <class T>
  static void copy(T const* from, void* to, std::size_t count, cudaStream_t stream) {
    if (count == 0) return;
    check_cuda(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDefault, stream), "cudaMemcpyAsync");
  }

  template <class E, class Work>
  void enqueue(E const& executor, char const* operation, Work const& work) const {
    executor.submit([member = member_, operation, work](E const& point) {
      refuse_capture(point.stream(), operation);
      DeviceGuard const guard(device_of(point));
      member->reserve(device_of(point));
      try {
        work(*member, point.stream());
      } catch (...) {
        member->has_failed = true;
        throw;
      }
    });
  }

  template <class T>
  static void scatter(Member& member, cudaStream_t stream, T const* all, T* part, ReduceOp op,
                      detail::PartBoundaries const& parts) {
    std::size_t const ranks = member.communicator.size();
    std::size_t const own = member.communicator.rank();
    std::size_t longest = 0;
    for (std::size_t r = 0; r < ranks; ++r) longest = std::max(longest, parts.size(r));
    Chunks const chunks(longest, member.chunk_bytes / sizeof(T) / (ranks + 1));
    member.boundaries.resize(ranks + 1);
    auto const lay_out = [&](std::size_t i) {
      for (std::size_t r = 0; r < ranks; ++r) {
        member.boundaries[r + 1] = member.boundaries[r] + chunks.size(parts.size(r), i);
      }
      return member.boundaries.back();
    };
    member.pipeline->run(
        stream, chunks.count(),
        [&](std::size_t i, std::byte* slot, cudaStream_t down) {
          lay_out(i);
          for (std::size_t r = 0; r < ranks; ++r) {
            copy(all + parts.begin(r) + chunks.begin(i), slot + member.boundaries[r] * sizeof(T),
                 chunks.size(parts.size(r), i), down);
          }
        },
        [&](std::size_t i, std::byte* slot) {
          auto const whole = host_view<T>(slot, lay_out(i));
          auto const mine = whole.part(member.boundaries[own], chunks.size(parts.size(own), i));
          member.communicator.reduce_scatter(member.host, TensorView<T const, HostSpace>(whole), mine, op,
                                             std::span<std::size_t const>(member.boundaries));
        },
        [&](std::size_t i, std::byte const* slot, cudaStream_t up) {
          lay_out(i);
          copy(elements<T>(slot) + member.boundaries[own], part + chunks.begin(i),
               chunks.size(parts.size(own), i), up);
        });
  }

  /// Both sides of a message cut it alike, and send its n-th piece in the n-th round.
  static void exchange_pieces(Member& member, cudaStream_t stream,
                              std::span<Transfer<DeviceSpace> const> transfers) {
    using Sense = Transfer<DeviceSpace>::Direction;
    std::size_t longest = 0;
    for (auto const& transfer : transfers) longest = std::max(longest, transfer.bytes);
    std::size_t const piece = member.chunk_bytes / pieces_in_a_chunk;
    Chunks const chunks(longest, piece);
    member.pipeline->grow(piece * transfers.size());
    auto const for_each = [&](std::size_t round, Sense sense, auto const& f) {
      for (std::size_t t = 0; t < transfers.size(); ++t) {
        std::size_t const bytes = chunks.size(transfers[t].bytes, round);
        auto* const data = static_cast<std::byte*>(transfers[t].data) + chunks.begin(round);
        if (bytes > 0 && transfers[t].direction == sense) f(t * piece, data, bytes);
      }
    };
    member.pipeline->run(
        stream, chunks.count(),
        [&](std::size_t round, std::byte* slot, cudaStream_t down) {
          for_each(round, Sense::send, [&](std::size_t offset, std::byte* data, std::size_t bytes) {
            copy(data, slot + offset, bytes, down);
          });
        },
        [&](std::size_t round, std::byte* slot) {
          member.pieces.clear();
          for (std::size_t t = 0; t < transfers.size(); ++t) {
            std::size_t const bytes = chunks.size(transfers[t].bytes, round);
            bool const is_send = transfers[t].direction == Sense::send;
            if (bytes == 0) continue;
            member.pieces.push_back(
                {is_send ? HostTransfer::Direction::send : HostTransfer::Direction::receive,
                 transfers[t].type, transfers[t].peer, bytes, slot + t * piece});
          }
          member.communicator.exchange(member.host, std::span<HostTransfer const>(member.pieces));
        },
        [&](std::size_t round, std::byte const* slot, cudaStream_t up) {
          for_each(round, Sense::receive, [&](std::size_t offset, std::byte* data, std::size_t bytes) {
            copy(slot + offset, data, bytes, up);
          });
        });
  }

  std::shared_ptr<Member> member_;
};

}  // namespace weir::inline v1
