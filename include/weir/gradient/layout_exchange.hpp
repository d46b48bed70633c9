#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/stage/context.hpp"
#include "weir/stage/rank_layout.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

inline constexpr std::size_t layout_exchange_entries = 4;

/// What a `LayoutExchange` over so many ranks allocates. Units: bytes.
constexpr std::size_t layout_exchange_bytes(std::size_t ranks) {
  return layout_exchange_entries * (1 + ranks) * sizeof(std::uint64_t);
}

/// Tells the ranks of a communicator how many workers and micro-batches each has; part of the stages that sum
/// over ranks. A rank with another bucket plan or local batch is an error on all of them.
///
/// Cost: one all-gather of four words when a recipe is bound or resized.
template <class Communicator, Executor E>
requires GatheringCommunicator<Communicator, E, std::uint64_t>
class LayoutExchange {
 public:
  LayoutExchange(E const& executor, Communicator const& communicator)
      : communicator_(communicator),
        executor_(executor),
        mine_(executor, entries),
        all_(executor, entries * communicator.size()) {
    communicator_.reserve(executor, all_.size() * sizeof(std::uint64_t));
  }

  /// Enqueues the exchange, and returns; `layout` may be called when the stream has passed it.
  void post(E const& executor, WorkLayout const& layout, std::uint64_t plan) {
    received_.clear();
    posted_[0] = layout.workers;
    posted_[1] = layout.micro_batches;
    posted_[2] = layout.local_batch;
    posted_[3] = plan;
    copy_from_host(executor, posted_, mine_.data(), sizeof(posted_));
    communicator_.all_gather(executor, ViewOn<std::uint64_t const, E>(mine_.view()), all_.view());
  }

  /// Between steps. Errors: `FingerprintMismatch`, on all ranks.
  RankLayout layout() const {
    // Not in `post`: on a device such a copy waits for the ranks without looking after them.
    if (received_.empty()) received_ = to_host(executor_, all_.view());
    RankLayout layout{communicator_.rank(), {}};
    for (std::size_t rank = 0; rank < communicator_.size(); ++rank) {
      std::uint64_t const* const entry = &received_[rank * entries];
      layout.ranks.push_back({entry[0], entry[1], entry[2]});
      check(rank, "local batch", entry[2], received_[2]);
      check(rank, "bucket plan", entry[3], received_[3]);
    }
    return layout;
  }

  /// Sums one integer over the ranks, in stream order, on a point of a host stream.
  /// Errors: `ContractViolation` where there are other ranks and `point` is of a device, which could only
  /// wait.
  std::uint64_t sum(E const& point, std::uint64_t value) {
    if constexpr (HostOrderedExecutor<E>) {
      *mine_.data() = value;
      communicator_.all_reduce(point, mine_.view().part(0, 1));
      return *mine_.data();
    } else if (communicator_.size() == 1) {
      return value;
    } else {
      throw ContractViolation(
          "the samples of all ranks are not known: on a device they have to be told with the batch");
    }
  }

 private:
  static constexpr std::size_t entries = layout_exchange_entries;

  static void check(std::size_t rank, char const* what, std::uint64_t value, std::uint64_t first) {
    if (value == first) return;
    throw FingerprintMismatch(std::string("the ") + what +
                              " differs between ranks: " + std::to_string(value) + " on rank " +
                              std::to_string(rank) + ", " + std::to_string(first) + " on rank 0");
  }

  Communicator communicator_;
  E executor_;
  Buffer<std::uint64_t, E> mine_;
  Buffer<std::uint64_t, E> all_;
  std::uint64_t posted_[entries] = {};
  mutable std::vector<std::uint64_t> received_;  // when it has been asked for
};

}  // namespace weir::inline v1
