#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/gather_pairs.hpp"
#include "weir/comm/pair_list.hpp"
#include "weir/comm/sparse_sum.hpp"
#include "weir/tensor/growing_buffer.hpp"

namespace weir::inline v1 {

/// The plain sparse sum: every rank sends all of its capacity to all, with the count in front, and adds up
/// what it has in rank order.
///
/// Shapes: the capacity of a bucket is the same on all ranks. Cost: (ranks - 1) times the capacity, whatever
/// was selected; memory for all blocks, taken when a larger capacity comes than was known at binding.
/// Streams: only enqueues, and reads nothing on the host. Nothing is rejected, and every rank has the same
/// bits: those of a dense sum in rank order. Values that are exact in 16 bits travel in 16 bits.
/// Errors: those of the communicator.
struct FixedGather {
  static constexpr char const* name = "fixed gather";

  template <class Real, Executor E, GatheringCommunicator<E, std::uint64_t> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return Bound<Real, E, C>(context);
  }

  /// What `on` takes at once. Units: bytes.
  template <class Real>
  static std::size_t workspace_bytes(std::size_t capacity, std::size_t ranks) {
    return ranks * PairBlocks<Real, HostSpace>::words(capacity) * sizeof(std::uint64_t);
  }

 private:
  template <class Real, Executor E, class C>
  class Bound {
    using Space = typename E::memory_space;

   public:
    explicit Bound(SparseContext<Real, E, C> const& context)
        : communicator_(context.communicator),
          memory_(context.executor,
                  context.communicator.size() * PairBlocks<Real, Space>::words(context.capacity)),
          widened_(context.executor) {
      if constexpr (ReservingCommunicator<C, E>)
        communicator_.reserve(context.executor, memory_.capacity() * sizeof(std::uint64_t));
    }

    void operator()(E const& point, SparseSum<Real, Space> const& sum) {
      if constexpr (sizeof(Real) == sizeof(float)) {
        if (sum.precision == ElementType::float16) return add<half>(point, sum);
        if (sum.precision == ElementType::bfloat16) return add<bfloat16>(point, sum);
      }
      add<Real>(point, sum);
    }

   private:
    template <class Value>
    void add(E const& point, SparseSum<Real, Space> const& sum) {
      std::size_t const capacity = sum.indices.size();
      std::size_t const words = PairBlocks<Value, Space>::words(capacity);
      PairBlocks<Value, Space> const pairs(memory_.take(communicator_.size() * words), capacity,
                                           communicator_.size());
      std::size_t const own = communicator_.rank();
      ViewOn<std::uint64_t const, E> const packed = pairs.block(own);
      if (std::is_same_v<Value, Real> && !sum.block.empty()) {
        communicator_.all_gather(point, sum.block, pairs.all());
      } else {
        copy(point, ViewOn<std::uint64_t const, E>(sum.count, 2), pairs.block(own).part(0, 2));
        copy(point, sum.indices, pairs.indices(own));
        copy(point, sum.values, pairs.values(own));
        communicator_.all_gather(point, packed, pairs.all());
      }
      add_up(point, sum.out, pairs);
    }

    template <class Value>
    void add_up(E const& point, ViewOn<Real, E> out, PairBlocks<Value, Space> const& pairs) {
      if constexpr (HostOrderedExecutor<E> && std::is_same_v<Value, Real>) {
        lists_.clear();
        for (std::size_t rank = 0; rank < communicator_.size(); ++rank)
          lists_.push_back(
              {pairs.indices(rank).data(), pairs.values(rank).data(), pairs.header(rank)->count});
        detail::sum_lists(point, lists_, out);
      } else if constexpr (std::is_same_v<Value, Real>) {
        set_zero(point, out);
        for (std::size_t rank = 0; rank < communicator_.size(); ++rank)
          scatter_add(point, ViewOn<std::uint32_t const, E>(pairs.indices(rank)),
                      ViewOn<Real const, E>(pairs.values(rank)), &pairs.header(rank)->count, out);
      } else if constexpr (HostOrderedExecutor<E>) {
        lists_.clear();
        auto const widened = widened_.take(communicator_.size() * pairs.capacity());
        for (std::size_t rank = 0; rank < communicator_.size(); ++rank) {
          std::size_t const count = pairs.header(rank)->count;
          auto const values = widened.part(rank * pairs.capacity(), count);
          copy(point, ViewOn<Value const, E>(pairs.values(rank).part(0, count)), values);
          lists_.push_back({pairs.indices(rank).data(), values.data(), count});
        }
        detail::sum_lists(point, lists_, out);
      } else {
        set_zero(point, out);
        auto const widened = widened_.take(pairs.capacity());
        for (std::size_t rank = 0; rank < communicator_.size(); ++rank) {
          copy(point, ViewOn<Value const, E>(pairs.values(rank)), widened);
          scatter_add(point, ViewOn<std::uint32_t const, E>(pairs.indices(rank)),
                      ViewOn<Real const, E>(widened), &pairs.header(rank)->count, out);
        }
      }
    }

    C communicator_;
    GrowingBuffer<std::uint64_t, E> memory_;
    GrowingBuffer<Real, E> widened_;
    std::vector<detail::PairList<Real>> lists_;
  };
};

}  // namespace weir::inline v1
