#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/comm/concepts.hpp"
#include "weir/exec/merge_tails.hpp"
#include "weir/exec/non_finite_policy.hpp"
#include "weir/exec/tail_statistics.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Every rank fits its own threshold.
struct NoTailExchange {
  static constexpr bool is_shared = false;
};

/// Makes the tail statistics of all ranks out of those of each, so that they fit the same threshold.
///
/// Cost: an all-gather of seven words.
template <class Communicator, Executor E>
requires GatheringCommunicator<Communicator, E, std::uint64_t> && ScalarBackend<E, MergeTails>
class TailExchange {
 public:
  static constexpr bool is_shared = true;

  TailExchange(E const& executor, Communicator const& communicator)
      : communicator_(communicator),
        own_(executor, 1),
        all_(executor, communicator.size()),
        merged_(executor, 1) {
    communicator_.reserve(executor, all_.size() * sizeof(TailStatistics));
  }

  /// Where this rank's go, and where those of all ranks that take part are after the exchange.
  TailStatistics* own() const { return own_.data(); }
  SharedTail const* merged() const { return merged_.data(); }

  /// `non_finite`: of all ranks.
  void operator()(E const& point, NonFinitePolicy non_finite) {
    communicator_.all_gather(point, ViewOn<std::uint64_t const, E>(words(own_)), words(all_));
    apply_scalars(point, MergeTails{all_.data(), all_.size(), non_finite, merged_.data()});
  }

  void watch() requires(CheckableCommunicator<Communicator>) { communicator_.check(); }
  void abort() noexcept { communicator_.abort(); }

 private:
  static ViewOn<std::uint64_t, E> words(Buffer<TailStatistics, E> const& tails) {
    static_assert(sizeof(TailStatistics) % sizeof(std::uint64_t) == 0);
    return {reinterpret_cast<std::uint64_t*>(tails.data()),
            tails.size() * (sizeof(TailStatistics) / sizeof(std::uint64_t))};
  }

  Communicator communicator_;
  Buffer<TailStatistics, E> own_;
  Buffer<TailStatistics, E> all_;  // by rank
  Buffer<SharedTail, E> merged_;
};

/// What a `TailExchange` allocates. Units: bytes.
constexpr std::size_t tail_exchange_bytes(std::size_t ranks) {
  return (ranks + 1) * sizeof(TailStatistics) + sizeof(SharedTail);
}

}  // namespace weir::inline v1
