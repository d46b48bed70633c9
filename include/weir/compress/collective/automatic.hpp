#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "weir/compress/collective/all_gather_pairs.hpp"
#include "weir/compress/collective/balanced_top_k.hpp"
#include "weir/compress/collective/dense_sum.hpp"
#include "weir/compress/collective/global_top_k.hpp"
#include "weir/compress/collective/leader_indices.hpp"
#include "weir/compress/collective/recursive_doubling.hpp"
#include "weir/compress/collective/shared_indices.hpp"
#include "weir/compress/collective/split_all_gather.hpp"
#include "weir/compress/cost_table.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// When `Automatic` chooses: for each sum, from how much the ranks have selected, or once for each bucket,
/// from its capacity. `by_executor` is each step on a host, whose stream learns the counts, and at binding on
/// a device, where the caller would have to wait for them.
enum class ChoiceTime : std::uint8_t { by_executor, each_step, binding };

namespace detail {
#ifdef NDEBUG
inline constexpr bool is_debug_build = false;
#else
inline constexpr bool is_debug_build = true;
#endif
}  // namespace detail

/// What `Automatic` reckons with. Equal on all ranks.
struct AutomaticOptions {
  Link link = {};
  SparseMethodSet allowed = exact_sparse_methods;  // and a dense sum, always
  double seconds_per_bucket = 0.0;                 // for selecting and adding up, besides the messages
  double seconds_per_element = 0.0;
  ChoiceTime choice = ChoiceTime::by_executor;
  bool verifies = detail::is_debug_build;  // that all ranks have chosen alike
};

namespace detail {

/// A bucket of which no rank has selected more than `selected`.
template <class Real>
SparseLoad load_of(std::size_t ranks, std::size_t elements, std::size_t selected) {
  return {ranks, static_cast<double>(elements), static_cast<double>(selected), sizeof(Real),
          sizeof(std::uint32_t)};
}

inline CompressionTime compression_time(AutomaticOptions const& options, SparseLoad const& load) {
  return {options.seconds_per_bucket + rounded_product(options.seconds_per_element, load.elements), 0.0};
}

inline SparseMethod choose_method(AutomaticOptions const& options, SparseLoad const& load,
                                  bool shares_indices) {
  SparseMethodSet const allowed =
      shares_indices ? options.allowed.with(SparseMethod::shared_indices) : options.allowed;
  return cheapest_method(allowed, load, options.link, compression_time(options, load));
}

/// Those that are never chosen take no memory.
inline std::size_t allowed_capacity(AutomaticOptions const& options, SparseMethod method,
                                    std::size_t capacity) {
  return options.allowed.contains(method) ? capacity : 0;
}

template <class Real>
std::size_t automatic_bytes(AutomaticOptions const& options, SparseLimits const& limits) {
  auto const of = [&](SparseMethod method) {
    return SparseLimits{limits.ranks, limits.elements, allowed_capacity(options, method, limits.capacity)};
  };
  return sparse_sum_bytes(
      limits, AllGatherRoom<Real>(of(SparseMethod::all_gather)),
      DoublingRoom<Real>(of(SparseMethod::recursive_doubling)), SplitRoom<Real>(of(SparseMethod::split)),
      GlobalTopKRoom<Real>(of(SparseMethod::global_top_k)), BalancedRoom<Real>(of(SparseMethod::balanced)),
      SharedIndicesRoom<Real>(limits), LeaderIndicesRoom<Real>(of(SparseMethod::leader_indices)));
}

/// Where there is no other way than the methods of the table.
struct NoNodes {
  static constexpr bool is_cheaper(AutomaticOptions const&, SparseLoad const&, SparseMethod) { return false; }
  template <class E, class Sum>
  void operator()(E const&, Sum const&) const {}
};

/// `Nodes` is another way to take a sum: `is_cheaper` than a method, and called where it is.
template <class Real, HostOrderedExecutor E, class C, class Nodes = NoNodes>
class BoundAutomatic {
 public:
  using Sum = SparseSum<Real, HostSpace>;

  BoundAutomatic(SparseContext<Real, E, C> const& context, AutomaticOptions const& options, Nodes nodes = {})
      : options_(options),
        nodes_(std::move(nodes)),
        exchange_(context.executor, context.communicator,
                  BalancedRoom<Real>::gathered(context.communicator.size())),
        dense_(context),
        gather_(where_allowed(context, SparseMethod::all_gather)),
        doubling_(where_allowed(context, SparseMethod::recursive_doubling)),
        split_(where_allowed(context, SparseMethod::split)),
        top_(where_allowed(context, SparseMethod::global_top_k)),
        balanced_(where_allowed(context, SparseMethod::balanced)),
        shared_(context),
        leader_(where_allowed(context, SparseMethod::leader_indices)) {
    if constexpr (ReservingCommunicator<C, E>)
      exchange_.communicator().reserve(context.executor, context.elements * sizeof(Real));
  }

  void operator()(E const& point, Sum const& sum) {
    std::uint64_t const own = *sum.count;
    PairCounts const counts(exchange_.gather(point, {&own, 1}));
    std::size_t const selected =
        options_.choice == ChoiceTime::binding ? sum.indices.size() : counts.largest();
    SparseLoad const load = load_of<Real>(exchange_.size(), sum.out.size(), selected);
    chosen_ = choose_method(options_, load, sum.shares_indices);
    is_over_nodes_ = nodes_.is_cheaper(options_, load, chosen_);
    if (options_.verifies) {
      verify(point);
      return take(point, sum, PairCounts(exchange_.gather(point, {&own, 1})));
    }
    take(point, sum, counts);
  }

  /// By which method the latest sum was taken, unless it was over nodes.
  SparseMethod chosen() const { return chosen_; }
  bool is_over_nodes() const { return is_over_nodes_; }

  void abort() noexcept requires(requires(Nodes& nodes) { nodes.abort(); }) { nodes_.abort(); }

 private:
  SparseContext<Real, E, C> where_allowed(SparseContext<Real, E, C> context, SparseMethod method) const {
    context.capacity = allowed_capacity(options_, method, context.capacity);
    return context;
  }

  void take(E const& point, Sum const& sum, PairCounts const& counts) {
    if (is_over_nodes_) return nodes_(point, sum);
    switch (chosen_) {
      case SparseMethod::dense_ring:
      case SparseMethod::dense_halving:
        return dense_(exchange_, point, sum, counts);
      case SparseMethod::all_gather:
        return gather_(exchange_, point, sum, counts);
      case SparseMethod::recursive_doubling:
        return doubling_(exchange_, point, sum, counts);
      case SparseMethod::split:
        return split_(exchange_, point, sum, counts);
      case SparseMethod::global_top_k:
        return top_(exchange_, point, sum, counts);
      case SparseMethod::balanced:
        return balanced_(exchange_, point, sum, counts);
      case SparseMethod::shared_indices:
        return shared_(exchange_, point, sum, counts);
      case SparseMethod::leader_indices:
        return leader_(exchange_, point, sum, counts);
    }
  }

  void verify(E const& point) {
    std::uint64_t const mine = is_over_nodes_ ? sparse_methods : static_cast<std::uint64_t>(chosen_);
    auto const all = exchange_.gather(point, {&mine, 1});
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      if (all[rank] == all[0]) continue;
      throw FingerprintMismatch(std::string("Automatic: rank ") + std::to_string(rank) + " has chosen " +
                                name_of_choice(all[rank]) + ", rank 0 " + name_of_choice(all[0]) +
                                "; give all ranks the same link and options");
    }
  }

  static char const* name_of_choice(std::uint64_t choice) {
    return choice == sparse_methods ? "two-level" : name_of(static_cast<SparseMethod>(choice));
  }

  AutomaticOptions options_;
  Nodes nodes_;
  PairExchange<C, E> exchange_;
  SparseMethod chosen_ = SparseMethod::dense_ring;
  bool is_over_nodes_ = false;
  DenseOfSparseSum<Real, E, C> dense_;
  AllGatherSum<Real, E, C> gather_;
  DoublingSum<Real, E, C> doubling_;
  SplitSum<Real, E, C> split_;
  GlobalTopKSum<Real, E, C> top_;
  BalancedSum<Real, E, C> balanced_;
  SharedIndicesSum<Real, E, C> shared_;
  LeaderIndicesSum<Real, E, C> leader_;
};

template <class Real, StagingBackend E, class C>
class BoundDeviceAutomatic {
  using Context = SparseContext<Real, E, C>;

 public:
  BoundDeviceAutomatic(Context const& context, AutomaticOptions const& options)
      : options_(options),
        ranks_(context.communicator.size()),
        counts_(context.executor, context.communicator),
        dense_(DenseSum{}.on(context)),
        gather_(AllGatherPairs{}.on(
            Context{context.executor, context.communicator, context.elements,
                    allowed_capacity(options, SparseMethod::all_gather, context.capacity)})),
        shared_(SharedIndices{}.on(context)) {}

  void operator()(E const& point, SparseSum<Real, typename E::memory_space> const& sum) {
    std::size_t const selected =
        options_.choice == ChoiceTime::each_step ? counts_.largest(point, sum.count) : sum.indices.size();
    chosen_ = choose_method(options_, load_of<Real>(ranks_, sum.out.size(), selected), sum.shares_indices);
    if (is_dense(chosen_)) return dense_(point, sum);
    if (chosen_ == SparseMethod::shared_indices) return shared_(point, sum);
    gather_.gather(point, sum, selected);
  }

  SparseMethod chosen() const { return chosen_; }
  bool waits() const { return options_.choice == ChoiceTime::each_step; }

 private:
  AutomaticOptions options_;
  std::size_t ranks_;
  SparseMethod chosen_ = SparseMethod::dense_ring;
  DeviceCounts<E, C> counts_;
  BoundDeviceDenseSum<Real, E, C> dense_;
  BoundDeviceAllGather<Real, E, C> gather_;
  BoundDeviceSharedIndices<Real, E, C> shared_;
};

}  // namespace detail

/// The cheapest method by the cost table: the ranks tell each other how much they have selected, each
/// evaluates the same table with the same arithmetic for the largest of the counts, and takes the cheapest of
/// the allowed methods, or a dense sum where none pays. No rank decides alone, so all take the same one.
///
/// Shared indices are allowed where they are shared. Cost: a small all-gather, and the chosen method's;
/// memory for each of the methods that it may choose. Streams: on a point of a host stream. On a device
/// between a dense sum, the all-gather and shared indices, from the capacities, which only enqueues; with
/// `ChoiceTime::each_step` the caller waits for the counts, so it cannot be captured. Errors: those of the
/// communicator; where it verifies, which a debug build does, `FingerprintMismatch` on all ranks that have
/// not chosen alike.
class Automatic {
 public:
  static constexpr char const* name = "automatic";

  explicit Automatic(AutomaticOptions const& options = {}) : options_(options) {}

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  requires ReducingCommunicator<C, E, std::uint32_t> && BroadcastingCommunicator<C, E, std::uint32_t>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundAutomatic<Real, E, C>(context, options_);
  }

  template <class Real, StagingBackend E, GatheringCommunicator<E, std::uint64_t> C>
  requires(!HostOrderedExecutor<E> &&
           ReducingCommunicator<C, E, Real>) auto on(SparseContext<Real, E, C> const& context) const {
    AutomaticOptions options = options_;
    options.allowed = options.allowed.contains(SparseMethod::all_gather)
                          ? SparseMethodSet::of(SparseMethod::all_gather)
                          : SparseMethodSet{};
    return detail::BoundDeviceAutomatic<Real, E, C>(context, options);
  }

  /// Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(SparseLimits const& limits) const {
    return detail::automatic_bytes<Real>(options_, limits);
  }

 private:
  AutomaticOptions options_;
};

}  // namespace weir::inline v1
