#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/comm/concepts.hpp"
#include "weir/compress/tail_exchange.hpp"
#include "weir/exec/concepts.hpp"
#include "weir/exec/non_finite_policy.hpp"
#include "weir/exec/shared_rank_steps.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Makes the counters of all ranks out of those of each, so that they find the same threshold: the one of
/// their data taken together, in rank order.
///
/// Cost: that of `TailExchange`; an all-reduce of 4,112 words (double: 4,224) and a pass over the accumulator
/// per round; an all-gather of one word. On the host there are as many rounds as the search takes, mostly
/// one; on a device, which nobody waits for, 4 (double: 6), of which those that are not needed read nothing.
template <class Communicator, Executor E, class Real>
requires ReducingCommunicator<Communicator, E, std::uint64_t>
class RankExchange {
  using Search = SharedRankSearch<Real>;

 public:
  static constexpr bool is_shared = true;

  RankExchange(E const& executor, Communicator const& communicator)
      : tails_(executor, communicator),
        communicator_(communicator),
        search_(executor, 1),
        own_(executor, Search::counters),
        sums_(executor, Search::counters),
        ties_(executor, communicator.size()) {
    communicator_.reserve(executor, Search::counters * sizeof(std::uint64_t));
  }

  TailStatistics* own() const { return tails_.own(); }
  SharedTail const* merged() const { return tails_.merged(); }

  /// Of the tails.
  void operator()(E const& point, NonFinitePolicy non_finite) { tails_(point, non_finite); }

  /// After it: finds the cut of a bucket of `size` elements, and tells the work of it.
  template <class Work, class Policy>
  void find(E const& point, Work& work, std::size_t size, Policy const& policy) {
    apply_scalars(point, StartSharedRank<Policy, Real>{policy, work.state, size, work.constants.non_finite,
                                                       merged(), own(), search_.data()});
    work.part = SparsifyPart::count;
    work.shared_rank = search_.data();
    work.counters = own_.data();
    for (unsigned round = 0; round < Search::rounds && !is_known_done(); ++round) {
      set_zero(point, own_.view());
      sparsify(point, work, policy);
      copy(point, ViewOn<std::uint64_t const, E>(own_.view()), sums_.view());
      communicator_.all_reduce(point, sums_.view());
      apply_scalars(point, ResumeSharedRank<Real>{sums_.data(), own_.data(), search_.data()});
    }
    ViewOn<std::uint64_t const, E> const own_ties(&search_.data()->own_ties(), 1);
    communicator_.all_gather(point, own_ties, ties_.view());
    apply_scalars(point, DivideTies<Real>{ties_.data(), communicator_.rank(), search_.data()});
  }

  void watch() requires(CheckableCommunicator<Communicator>) { tails_.watch(); }
  void abort() noexcept { tails_.abort(); }

 private:
  /// All ranks know it, or none.
  bool is_known_done() const {
    if constexpr (HostOrderedExecutor<E>) {
      return search_.data()->is_done();
    } else {
      return false;
    }
  }

  TailExchange<Communicator, E> tails_;
  Communicator communicator_;
  Buffer<Search, E> search_;
  Buffer<std::uint64_t, E> own_;   // counters of this rank
  Buffer<std::uint64_t, E> sums_;  // of all
  Buffer<std::uint64_t, E> ties_;  // by rank
};

/// What it allocates. Units: bytes.
template <class Real>
constexpr std::size_t rank_exchange_bytes(std::size_t ranks) {
  using Search = SharedRankSearch<Real>;
  return tail_exchange_bytes(ranks) + sizeof(Search) + (2 * Search::counters + ranks) * sizeof(std::uint64_t);
}

}  // namespace weir::inline v1
