#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/comm/pair_list.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/sparse_method.hpp"
#include "weir/exec/take_part.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {
namespace detail {

struct DenseSumRoom {
  static constexpr std::size_t gathered(std::size_t) { return 1; }
  static constexpr std::size_t bytes() { return 0; }
};

template <class Real, HostOrderedExecutor E, class C>
class DenseOfSparseSum {
 public:
  using Sum = SparseSum<Real, HostSpace>;
  using Room = DenseSumRoom;

  explicit DenseOfSparseSum(SparseContext<Real, E, C> const&) {}

  void operator()(PairExchange<C, E>& exchange, E const& point, Sum const& sum, PairCounts const&) {
    bool const takes_part = sum.part().is_taken();
    Real* const residual = residual_of(sum);
    for (std::size_t i = 0; i < sum.out.size(); ++i) {
      if (!takes_part) {
        sum.out[i] = Real{};
      } else if (residual != nullptr) {
        sum.out[i] = residual[i];
        residual[i] = Real{};
      }
    }
    // Of a node these may be the sums of other ranks.
    if (residual != nullptr) add_list(pairs_of(sum), sum.out.data());
    exchange.communicator().all_reduce(point, sum.out);
  }
};

template <class Real, Executor E, class C>
class BoundDeviceDenseSum {
  using Space = typename E::memory_space;

 public:
  explicit BoundDeviceDenseSum(SparseContext<Real, E, C> const& context)
      : communicator_(context.communicator), conditions_(context.executor, 2) {
    if constexpr (ReservingCommunicator<C, E>)
      communicator_.reserve(context.executor, context.elements * sizeof(Real));
  }

  void operator()(E const& point, SparseSum<Real, Space> const& sum) {
    apply_scalars(point, TellPart{sum.part(), conditions_.data()});
    std::uint64_t const* const takes_part = conditions_.data();
    std::uint64_t const* const is_left_out = takes_part + 1;
    if (sum.residual.empty()) {
      clear_if(point, sum.out, is_left_out);
    } else {
      copy(point, sum.residual, sum.out);
      clear_if(point, sum.out, is_left_out);
      scatter_add(point, sum.indices, sum.values, sum.count, sum.out);
      // The side that is not valid is written anew in the next step.
      clear_if(point, side(sum, 0), takes_part);
      if (sum.residual.side(0) != sum.residual.side(1)) clear_if(point, side(sum, 1), takes_part);
    }
    communicator_.all_reduce(point, sum.out);
  }

 private:
  static ViewOn<Real, E> side(SparseSum<Real, Space> const& sum, unsigned number) {
    Real* const side = sum.residual.side(number);
    return {side, side == nullptr ? 0 : sum.residual.size()};
  }

  C communicator_;
  Buffer<std::uint64_t, E> conditions_;
};

}  // namespace detail

/// All of the bucket is sent, as if nothing had been selected: the residual with the pairs, after which it is
/// 0, or without a residual what was there before the selection.
///
/// A rank whose step is skipped sends nothing and keeps its residual. Cost: a dense sum, and a pass over the
/// bucket, on a device three. Streams: only enqueues on a device; on a host, on a point of its stream.
/// Errors: those of the communicator.
struct DenseSum {
  static constexpr SparseMethod method = SparseMethod::dense_ring;
  static constexpr char const* name = "dense";

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundSparseSum<detail::DenseOfSparseSum<Real, E, C>, Real, E, C>(context);
  }

  template <class Real, Executor E, ReducingCommunicator<E, Real> C>
  requires(!HostOrderedExecutor<E> &&
           ScalarBackend<E, TellPart>) auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundDeviceDenseSum<Real, E, C>(context);
  }

  /// Units: bytes.
  template <class Real>
  static std::size_t workspace_bytes(SparseLimits const& limits) {
    return detail::sparse_sum_bytes(limits, detail::DenseSumRoom());
  }
};

}  // namespace weir::inline v1
