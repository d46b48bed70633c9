#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/comm/gather_pairs.hpp"
#include "weir/comm/pair_list.hpp"
#include "weir/comm/sparse_sum.hpp"
#include "weir/tensor/growing_buffer.hpp"

namespace weir::inline v1 {

/// The plain sparse sum: every rank sends all of its capacity to all, with the count in front, and adds up
/// what it has in rank order.
///
/// Shapes: the capacity of a bucket is the same on all ranks. Cost: (ranks - 1) times the capacity, whatever
/// was selected; memory for all blocks, taken when it is bound, and again when a larger capacity comes than
/// was known then.
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
  static std::size_t workspace_bytes(SparseLimits const& limits) {
    return words<Real>(limits) * sizeof(std::uint64_t);
  }

 private:
  /// All blocks; or, on a device, those of 16-bit values and behind them room to widen one of them.
  template <class Real>
  static std::size_t words(SparseLimits const& limits) {
    std::size_t const all = limits.ranks * PairBlocks<Real, HostSpace>::words(limits.capacity);
    if (!packs<Real>(limits.ranks)) return all;
    std::size_t const packed = words_with_widened<Real, half>(limits.ranks, limits.capacity);
    return all < packed ? packed : all;
  }

  /// Whether 16-bit values are sent as such; to nobody nothing is.
  template <class Real>
  static constexpr bool packs(std::size_t ranks) {
    return sizeof(Real) == sizeof(float) && ranks > 1;
  }
  template <class Real, class Value>
  static std::size_t words_with_widened(std::size_t ranks, std::size_t capacity) {
    constexpr std::size_t word = sizeof(std::uint64_t);
    return ranks * PairBlocks<Value, HostSpace>::words(capacity) +
           (capacity * sizeof(Real) + word - 1) / word;
  }

  template <class Real, Executor E, class C>
  class Bound {
    using Space = typename E::memory_space;

   public:
    explicit Bound(SparseContext<Real, E, C> const& context)
        : communicator_(context.communicator), memory_(context.executor, words<Real>(context.limits())) {
      if constexpr (!HostOrderedExecutor<E>)  // whole blocks are sent, with what lies between their parts
        set_zero(context.executor, memory_.take(memory_.capacity()));
      if constexpr (ReservingCommunicator<C, E>)
        communicator_.reserve(context.executor, memory_.capacity() * sizeof(std::uint64_t));
    }

    void operator()(E const& point, SparseSum<Real, Space> const& sum) {
      if constexpr (sizeof(Real) == sizeof(float)) {
        if (!packs<Real>(communicator_.size())) return add<Real>(point, sum);
        if (sum.precision == ElementType::float16) return add<half>(point, sum);
        if (sum.precision == ElementType::bfloat16) return add<bfloat16>(point, sum);
      }
      add<Real>(point, sum);
    }

   private:
    template <class Value>
    void add(E const& point, SparseSum<Real, Space> const& sum) {
      std::size_t const capacity = sum.indices.size();
      std::size_t const ranks = communicator_.size();
      std::size_t const words = ranks * PairBlocks<Value, Space>::words(capacity);
      bool const widens = !HostOrderedExecutor<E> && !std::is_same_v<Value, Real>;
      auto const memory = memory_.take(widens ? words_with_widened<Real, Value>(ranks, capacity) : words);
      PairBlocks<Value, Space> const pairs(memory.part(0, words), capacity, ranks);
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
      add_up(point, sum.out, pairs, reinterpret_cast<Real*>(memory.data() + words));
    }

    template <class Value>
    void add_up(E const& point, ViewOn<Real, E> out, PairBlocks<Value, Space> const& pairs, Real* room) {
      if constexpr (HostOrderedExecutor<E>) {
        auto const list_of = [&](std::size_t rank) {
          return detail::PairList<Value>{pairs.indices(rank).data(), pairs.values(rank).data(),
                                         static_cast<std::size_t>(pairs.header(rank)->count)};
        };
        detail::sum_of_lists(point, communicator_.size(), list_of, out);
      } else if constexpr (std::is_same_v<Value, Real>) {
        set_zero(point, out);
        for (std::size_t rank = 0; rank < communicator_.size(); ++rank)
          scatter_add(point, ViewOn<std::uint32_t const, E>(pairs.indices(rank)),
                      ViewOn<Real const, E>(pairs.values(rank)), &pairs.header(rank)->count, out);
      } else {
        set_zero(point, out);
        ViewOn<Real, E> const widened(room, pairs.capacity());
        for (std::size_t rank = 0; rank < communicator_.size(); ++rank) {
          copy(point, ViewOn<Value const, E>(pairs.values(rank)), widened);
          scatter_add(point, ViewOn<std::uint32_t const, E>(pairs.indices(rank)),
                      ViewOn<Real const, E>(widened), &pairs.header(rank)->count, out);
        }
      }
    }

    C communicator_;
    GrowingBuffer<std::uint64_t, E> memory_;
  };
};

}  // namespace weir::inline v1
