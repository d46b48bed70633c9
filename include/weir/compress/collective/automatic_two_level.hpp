#pragma once

#include <cstddef>
#include <utility>

#include "weir/compress/collective/automatic.hpp"
#include "weir/compress/collective/two_level.hpp"
#include "weir/compress/cost_table.hpp"

namespace weir::inline v1 {
namespace detail {

/// A sum over nodes, and what it costs.
template <class Bound>
struct CostedNodes {
  Bound sum;
  SparseMethod between;
  std::size_t ranks_per_node;
  Link inside;

  bool is_cheaper(AutomaticOptions const& options, SparseLoad const& load, SparseMethod chosen) const {
    CompressionTime const time = compression_time(options, load);
    double const added = time.compress + time.decompress;
    double const least = seconds_of(chosen, load, options.link) + (is_dense(chosen) ? 0.0 : added);
    return two_level_seconds(between, load, options.link, ranks_per_node, inside) + added < least;
  }

  template <class E, class Sum>
  void operator()(E const& point, Sum const& pairs) {
    sum(point, pairs);
  }

  void abort() noexcept { sum.abort(); }
};

}  // namespace detail

/// `Automatic` for ranks on nodes: each sum is taken over the nodes where the cost table says that this is
/// below the cheapest of the other methods, whose link is that between nodes.
///
/// ```
/// weir::TwoLevel const nodes{mesh.axis("place"), mesh.axis("node"), weir::SplitAllGather{}};
/// weir::AllReduce{world, weir::AutomaticTwoLevel{nodes, {.link = between}, inside}}
/// ```
/// Shapes: the policy between nodes is one of the methods of the table. Cost: as `Automatic`; memory for
/// both. Streams, errors: as `Automatic` on a host, and as `TwoLevel`.
template <class Inside, class Between, class Policy>
class AutomaticTwoLevel {
 public:
  static constexpr char const* name = "automatic two-level";

  /// `inside`: a node. Equal on all ranks, as the options are.
  AutomaticTwoLevel(TwoLevel<Inside, Between, Policy> nodes, AutomaticOptions const& options,
                    Link const& inside)
      : nodes_(std::move(nodes)), options_(options), inside_(inside) {
    static_assert(
        requires { Policy::method; },
        "the cost table does not know the policy between the nodes: give TwoLevel one of its methods, such "
        "as SplitAllGather");
  }

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  requires ReducingCommunicator<C, E, std::uint32_t> && BroadcastingCommunicator<C, E, std::uint32_t>
  auto on(SparseContext<Real, E, C> const& context) const {
    using Nodes = detail::CostedNodes<decltype(nodes_.on(context))>;
    return detail::BoundAutomatic<Real, E, C, Nodes>(
        context, options_, Nodes{nodes_.on(context), Policy::method, nodes_.ranks_per_node(), inside_});
  }

  /// Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(SparseLimits const& limits) const {
    return detail::automatic_bytes<Real>(options_, limits) + nodes_.template workspace_bytes<Real>(limits);
  }

 private:
  TwoLevel<Inside, Between, Policy> nodes_;
  AutomaticOptions options_;
  Link inside_;
};

}  // namespace weir::inline v1
