#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "weir/comm/concepts.hpp"
#include "weir/comm/fixed_gather.hpp"
#include "weir/comm/sparse_sum.hpp"
#include "weir/gradient/layout_exchange.hpp"
#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

namespace detail {
/// The policy that nobody has asked for need not fit: recipes that are not sparse do without.
template <class Policy, class Real, class E, class C>
concept FittingPolicy = std::same_as<Policy, FixedGather> || SparseCollective<Policy, Real, E, C>;
}  // namespace detail

/// Sums a bucket over the ranks of a communicator; from then on it counts the samples of all ranks. A dense
/// one is summed in place. The selected elements of a bucket are summed as `policy` says, into its dense
/// memory; what the policy does not send stays in the residual.
///
/// Cost: one collective per bucket and step, in bucket order, or what the policy takes; when bound, one
/// exchange of layouts, and the policy's memory.
/// Streams: on the recipe's. Errors: those of the communicator and the policy, and `FingerprintMismatch`
/// where ranks differ in bucket plan or local batch, from the recipe's `wait` and first step.
template <class Communicator, class Policy = FixedGather>
class AllReduce {
 public:
  using consumes = OneOf<Dense, Sparse>;
  using produces = Dense;
  static constexpr char const* name = "all-reduce";
  static constexpr bool sums_over_ranks = true;

  explicit AllReduce(Communicator communicator, Policy policy = Policy())
      : communicator_(std::move(communicator)), policy_(std::move(policy)) {}

  template <Executor E, class Real>
  requires ReducingCommunicator<Communicator, E, Real> &&
      GatheringCommunicator<Communicator, E, std::uint64_t> &&
      detail::FittingPolicy<Policy, Real, E, Communicator>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, communicator_, policy_);
  }

  /// What it allocates when it is bound, besides what the communicator reserves. Where sparse gradients come,
  /// of that capacity by bucket, with what the policy takes, if it says so, as all of ours do.
  /// Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&,
                              std::span<std::size_t const> sparse_capacity = {}) const {
    std::size_t bytes = layout_exchange_bytes(communicator_.size());
    if constexpr (requires { policy_.template workspace_bytes<Real>(SparseLimits{}); }) {
      if (!sparse_capacity.empty())
        bytes += policy_.template workspace_bytes<Real>(
            {communicator_.size(), largest_of(plan), most(sparse_capacity)});
    }
    return bytes;
  }

 private:
  static std::size_t largest_of(BucketPlan const& plan) {
    std::size_t largest = 0;
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket)
      if (largest < plan[bucket].size) largest = plan[bucket].size;
    return largest;
  }
  static std::size_t most(std::span<std::size_t const> capacity_of_bucket) {
    std::size_t most = 0;
    for (std::size_t const capacity : capacity_of_bucket) most = most < capacity ? capacity : most;
    return most;
  }

  template <Executor E, class Real>
  class Bound {
    using Context = SparseContext<Real, E, Communicator>;
    static constexpr bool sums_sparse = SparseCollective<Policy, Real, E, Communicator>;

   public:
    Bound(RecipeContext<E, Real> const& context, Communicator const& communicator, Policy const& policy)
        : communicator_(communicator),
          layouts_(context.executor, communicator),
          largest_(largest_of(context.plan)),
          sparse_(context.executor, policy) {
      communicator_.reserve(context.executor, largest_ * sizeof(Real));
      if constexpr (sums_sparse) {
        if (context.sparse_capacity != nullptr) bind_sparse(most(*context.sparse_capacity));
      }
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      gradient.materialise();
      communicator_.all_reduce(gradient.executor, gradient.values);
      gradient.samples = gradient.step.samples;
      return gradient;
    }

    DenseGradient<E, Real> operator()(SparseGradient<E, Real> const& gradient) requires(sums_sparse) {
      if (gradient.is_whole) {
        communicator_.all_reduce(gradient.executor, gradient.dense);
      } else {
        if (!sparse_.bound) bind_sparse(gradient.indices.size());
        SparseSum<Real, typename E::memory_space> sum{gradient.indices, gradient.values, gradient.count,
                                                      gradient.status, gradient.block};
        sum.precision = gradient.precision;
        sum.shares_indices = gradient.shares_indices;
        sum.out = gradient.dense;
        sum.residual = gradient.residual;
        sum.step = gradient.step.number;
        (*sparse_.bound)(gradient.executor, sum);
      }
      return {.executor = gradient.executor,
              .values = gradient.dense,
              .bucket = gradient.bucket,
              .samples = gradient.step.samples,
              .step = gradient.step,
              .scale = gradient.scale};
    }

    void post_layout(E const& executor, WorkLayout const& layout, std::uint64_t plan) {
      layouts_.post(executor, layout, plan);
    }
    RankLayout rank_layout() const { return layouts_.layout(); }
    std::uint64_t sum_samples(E const& point, std::uint64_t samples) { return layouts_.sum(point, samples); }

    void watch() requires(CheckableCommunicator<Communicator>) {
      communicator_.check();
      if constexpr (sums_sparse) {
        if constexpr (requires { sparse_.bound->check(); }) {
          if (sparse_.bound) sparse_.bound->check();
        }
      }
    }

    /// Releases the other ranks when a step has failed here.
    void abort() noexcept {
      communicator_.abort();
      if constexpr (sums_sparse) {
        if constexpr (requires { sparse_.bound->abort(); }) {
          if (sparse_.bound) sparse_.bound->abort();
        }
      }
    }

   private:
    /// What the policy has made, where there is something for it to do.
    template <bool can_sum, class OfPolicy>
    struct Sparsely {
      using BoundPolicy = decltype(std::declval<OfPolicy const&>().on(std::declval<Context const&>()));

      Sparsely(E const& stream, OfPolicy const& of) : executor(stream), policy(of) {}

      E executor;
      OfPolicy policy;
      std::optional<BoundPolicy> bound;
    };
    template <class OfPolicy>
    struct Sparsely<false, OfPolicy> {
      Sparsely(E const&, OfPolicy const&) {}
    };

    void bind_sparse(std::size_t capacity) {
      using Made = typename decltype(sparse_)::BoundPolicy;
      struct Making {  // in its place, as it need not be movable
        Policy const& policy;
        Context context;
        operator Made() const { return policy.on(context); }
      };
      sparse_.bound.emplace(Making{sparse_.policy, {sparse_.executor, communicator_, largest_, capacity}});
    }

    Communicator communicator_;
    LayoutExchange<Communicator, E> layouts_;
    std::size_t largest_;  // elements of a bucket
    Sparsely<sums_sparse, Policy> sparse_;
  };

  Communicator communicator_;
  Policy policy_;
};

}  // namespace weir::inline v1
