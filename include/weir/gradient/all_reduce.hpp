#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/stage/rank_layout.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Sums a bucket over the ranks of a communicator, in place; from then on it counts the samples of all ranks.
///
/// When it is bound, and at a resize, the ranks exchange how many workers and micro-batches each has; a rank
/// with another bucket plan or local batch is an error on all of them. Cost: one collective per bucket and
/// step, in bucket order. Streams: on the recipe's. Errors: those of the communicator, from the recipe's
/// `wait`.
template <class Communicator>
class AllReduce {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "all-reduce";

  explicit AllReduce(Communicator communicator) : communicator_(std::move(communicator)) {}

  template <Executor E, class Real>
  requires ReducingCommunicator<Communicator, E, Real> &&
      GatheringCommunicator<Communicator, E, std::uint64_t>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context, communicator_); }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, Communicator const& communicator)
        : communicator_(communicator),
          mine_(context.executor, entries),
          all_(context.executor, entries * communicator.size()),
          received_(all_.size()) {
      std::size_t largest = all_.size() * sizeof(std::uint64_t);
      for (std::size_t i = 0; i < context.plan.size(); ++i)
        largest = std::max(largest, context.plan[i].size * sizeof(Real));
      communicator_.reserve(context.executor, largest);
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      gradient.materialise();
      communicator_.all_reduce(gradient.executor, gradient.values);
      gradient.samples = gradient.step.samples;
      return gradient;
    }

    /// Enqueues the exchange of layouts; `rank_layout` may be called when the stream has passed it.
    void post_layout(E const& executor, WorkLayout const& layout, std::uint64_t plan) {
      posted_[0] = layout.workers;
      posted_[1] = layout.micro_batches;
      posted_[2] = layout.local_batch;
      posted_[3] = plan;
      copy_from_host(executor, posted_, mine_.data(), sizeof(posted_));
      communicator_.all_gather(executor, ViewOn<std::uint64_t const, E>(mine_.view()), all_.view());
      copy_to_host(executor, all_.data(), received_.data(), received_.size() * sizeof(std::uint64_t));
    }

    /// Errors: `FingerprintMismatch`, on all ranks.
    RankLayout rank_layout() const {
      RankLayout layout{communicator_.rank(), {}};
      for (std::size_t rank = 0; rank < communicator_.size(); ++rank) {
        std::uint64_t const* const entry = &received_[rank * entries];
        layout.ranks.push_back({entry[0], entry[1], entry[2]});
        check(rank, "local batch", entry[2], received_[2]);
        check(rank, "bucket plan", entry[3], received_[3]);
      }
      return layout;
    }

    /// Blocks: the samples of all ranks, where the source knows only its own.
    std::uint64_t sum_samples(E const& executor, std::uint64_t samples) requires(
        HostOrderedExecutor<E>&& ReducingCommunicator<Communicator, E, std::uint64_t>) {
      *mine_.data() = samples;
      communicator_.all_reduce(executor, mine_.view().part(0, 1));
      return *mine_.data();
    }

    /// Releases the other ranks when a step has failed here.
    void abort() noexcept { communicator_.abort(); }

   private:
    static constexpr std::size_t entries = 4;

    static void check(std::size_t rank, char const* what, std::uint64_t value, std::uint64_t first) {
      if (value == first) return;
      throw FingerprintMismatch(std::string("the ") + what +
                                " differs between ranks: " + std::to_string(value) + " on rank " +
                                std::to_string(rank) + ", " + std::to_string(first) + " on rank 0");
    }

    Communicator communicator_;
    Buffer<std::uint64_t, E> mine_;
    Buffer<std::uint64_t, E> all_;
    std::uint64_t posted_[entries] = {};
    std::vector<std::uint64_t> received_;
  };

  Communicator communicator_;
};

}  // namespace weir::inline v1
