#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/comm/even_split.hpp"
#include "weir/gradient/layout_exchange.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Shares the optimizer's state out over the ranks: each rank gets the sum of one part of a bucket, updates
/// that part of the weights, and sends it to the others. Takes the place of the all-reduce and of the
/// optimizer.
///
/// The weights are the same bits as with `AllReduce` and the whole optimizer. Cost: 1/R of the optimizer's
/// state, two buckets' worth of staging, and the bytes of one all-reduce. A stage before it sees this rank's
/// sums only. State is saved per rank. Errors: as `AllReduce`. Source: [rajbhandari2020]
template <class Communicator, GradientStage Optimizer>
class ShardedUpdate {
 public:
  using consumes = Dense;
  using produces = Applied;
  static constexpr char const* name = "sharded update";
  static constexpr bool has_learning_rate = true;
  static constexpr bool sums_over_ranks = true;
  static constexpr bool updates_every_parameter = true;

  ShardedUpdate(Communicator communicator, Optimizer optimizer)
      : communicator_(std::move(communicator)), optimizer_(std::move(optimizer)) {}

  template <Executor E, class Real>
  requires ScatteringCommunicator<Communicator, E, Real> && GatheringCommunicator<Communicator, E, Real> &&
      BindsToRecipe<Optimizer, E, Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, communicator_, optimizer_);
  }

  /// What a checkpoint tells of it.
  std::string text() const {
    std::string text;
    if constexpr (requires { Optimizer::name; }) text = Optimizer::name;
    if constexpr (requires { optimizer_.text(); }) text += ", " + optimizer_.text();
    return text;
  }

  /// What it allocates when it is bound, besides what the communicator reserves. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    std::vector<Parameter> parts;
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
      std::size_t const begin = even_split(plan[bucket].size, communicator_.rank(), communicator_.size());
      std::size_t const end = even_split(plan[bucket].size, communicator_.rank() + 1, communicator_.size());
      parts.push_back({end - begin, element_type_of<Real>});
    }
    return optimizer_.template workspace_bytes<Real>(BucketPlan::per_parameter(std::move(parts)), layout) +
           block_size(plan, communicator_.size()) * communicator_.size() * sizeof(Real) +
           layout_exchange_bytes(communicator_.size());
  }

 private:
  /// Elements of the largest part of a bucket.
  static std::size_t block_size(BucketPlan const& plan, std::size_t ranks) {
    std::size_t largest = 0;
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket)
      if (std::size_t const size = (plan[bucket].size + ranks - 1) / ranks; largest < size) largest = size;
    return largest;
  }

  /// The pieces of the weights that lie in part `rank` of a bucket; their offsets count from where the part
  /// begins.
  template <Executor E, class Real>
  static std::vector<WeightSegment<E, Real>> part_of(std::vector<WeightSegment<E, Real>> const& bucket,
                                                     std::size_t size, std::size_t rank, std::size_t ranks) {
    std::size_t const begin = even_split(size, rank, ranks);
    std::size_t const end = even_split(size, rank + 1, ranks);
    std::vector<WeightSegment<E, Real>> pieces;
    for (auto const& [values, offset] : bucket) {
      std::size_t const first = offset < begin ? begin : offset;
      std::size_t const last = offset + values.size() < end ? offset + values.size() : end;
      if (first < last) pieces.push_back({values.part(first - offset, last - first), first - begin});
    }
    return pieces;
  }

  template <Executor E, class Real>
  class Bound {
   public:
    Bound(Bound const&) = delete;
    Bound& operator=(Bound const&) = delete;

    Bound(RecipeContext<E, Real> const& context, Communicator const& communicator, Optimizer const& optimizer)
        : communicator_(communicator),
          layouts_(context.executor, communicator),
          shard_(context, communicator),
          gathered_(reserved(context, communicator_, shard_.block)),
          optimizer_(optimizer.on(RecipeContext<E, Real>{context.executor, context.home, shard_.plan,
                                                         shard_.weights, context.layout, context.used})) {
      set_zero(context.executor, gathered_.view());  // blocks are sent whole, with what no piece fills
    }

    void begin_step(E const& point, StepInfo const& step) { optimizer_.begin_step(point, step); }

    AppliedGradient<E> operator()(DenseGradient<E, Real> gradient) {
      if (gradient.used != nullptr) {
        throw ContractViolation(
            "ShardedUpdate: a map of used parameters, by which only whole parameters can be left out; "
            "AllReduce and the optimizer itself would be right");
      }
      gradient.materialise();
      std::size_t const begin =
          even_split(gradient.values.size(), communicator_.rank(), communicator_.size());
      std::size_t const end =
          even_split(gradient.values.size(), communicator_.rank() + 1, communicator_.size());
      DenseGradient<E, Real> mine = gradient;
      mine.values = gradient.values.part(begin, end - begin);
      mine.samples = gradient.step.samples;
      communicator_.reduce_scatter(gradient.executor, ViewOn<Real const, E>(gradient.values), mine.values);
      AppliedGradient<E> const applied = optimizer_(mine);
      exchange_weights(gradient.executor, gradient.bucket);
      return applied;
    }

    void set_learning_rate(E const& executor, double rate) { optimizer_.set_learning_rate(executor, rate); }
    void post_layout(E const& executor, WorkLayout const& layout, std::uint64_t plan) {
      layouts_.post(executor, layout, plan);
    }
    RankLayout rank_layout() const { return layouts_.layout(); }
    std::uint64_t sum_samples(E const& point, std::uint64_t samples) { return layouts_.sum(point, samples); }
    void watch() requires(CheckableCommunicator<Communicator>) { communicator_.check(); }
    void abort() noexcept { communicator_.abort(); }

    template <class Archive>
    void save(Archive& archive) const {
      optimizer_.save(archive);
    }
    template <class Archive>
    void check(Archive const& archive) const {
      optimizer_.check(archive);
    }
    template <class Archive>
    void load(Archive const& archive) {
      optimizer_.load(archive);
    }

   private:
    using Pieces = std::vector<WeightSegment<E, Real>>;

    /// This rank's part of each bucket as a bucket of its own, its pieces as parameters, and those of all
    /// ranks.
    struct Shard {
      Shard(RecipeContext<E, Real> const& context, Communicator const& communicator)
          : parts(all_parts(context, communicator.size())),
            plan(plan_of(context.plan, communicator)),
            weights(views_of(communicator), plan),
            block(block_size(context.plan, communicator.size())) {}

      static std::vector<std::vector<Pieces>> all_parts(RecipeContext<E, Real> const& context,
                                                        std::size_t ranks) {
        std::vector<std::vector<Pieces>> parts;
        for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) {
          auto const segments = context.weights.segments(context.plan, bucket);
          auto& of_bucket = parts.emplace_back();
          for (std::size_t rank = 0; rank < ranks; ++rank)
            of_bucket.push_back(part_of(segments, context.plan[bucket].size, rank, ranks));
        }
        return parts;
      }

      BucketPlan plan_of(BucketPlan const& whole, Communicator const& communicator) {
        std::vector<Parameter> parameters;
        std::vector<std::vector<std::size_t>> buckets;
        for (std::size_t bucket = 0; bucket < whole.size(); ++bucket) {
          Pieces& pieces = parts[bucket][communicator.rank()];
          if (pieces.empty())
            pieces.push_back({});  // more ranks than elements: this one has nothing to update
          auto& members = buckets.emplace_back();
          for (auto const& piece : pieces) {
            members.push_back(parameters.size());
            parameters.push_back({piece.values.size(), element_type_of<Real>});
          }
        }
        return BucketPlan(std::move(parameters), buckets);
      }

      std::vector<ViewOn<Real, E>> views_of(Communicator const& communicator) const {
        std::vector<ViewOn<Real, E>> views;
        for (auto const& of_bucket : parts) {
          for (auto const& piece : of_bucket[communicator.rank()]) views.push_back(piece.values);
        }
        return views;
      }

      std::vector<std::vector<Pieces>> parts;  // by bucket and rank
      BucketPlan plan;
      Weights<E, Real> weights;
      std::size_t block;
    };

    static Buffer<Real, E> reserved(RecipeContext<E, Real> const& context, Communicator const& communicator,
                                    std::size_t block) {
      Buffer<Real, E> gathered(context.executor, block * communicator.size());
      communicator.reserve(context.executor, gathered.size() * sizeof(Real));
      return gathered;
    }

    void exchange_weights(E const& executor, std::size_t bucket) {
      std::size_t const rank = communicator_.rank();
      auto const place = [&](std::size_t of, WeightSegment<E, Real> const& piece) {
        return gathered_.view().part(of * shard_.block + piece.offset, piece.values.size());
      };
      for (auto const& piece : shard_.parts[bucket][rank])
        copy(executor, ViewOn<Real const, E>(piece.values), place(rank, piece));
      ViewOn<Real const, E> const own = gathered_.view().part(rank * shard_.block, shard_.block);
      communicator_.all_gather(executor, own, gathered_.view());
      for (std::size_t other = 0; other < communicator_.size(); ++other) {
        if (other == rank) continue;
        for (auto const& piece : shard_.parts[bucket][other])
          copy(executor, ViewOn<Real const, E>(place(other, piece)), piece.values);
      }
    }

    Communicator communicator_;
    LayoutExchange<Communicator, E> layouts_;
    Shard shard_;  // the optimizer refers to it
    Buffer<Real, E> gathered_;
    decltype(std::declval<Optimizer const&>().on(std::declval<RecipeContext<E, Real> const&>())) optimizer_;
  };

  Communicator communicator_;
  Optimizer optimizer_;
};

}  // namespace weir::inline v1
