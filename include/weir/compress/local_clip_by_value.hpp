#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"
#include "weir/core/square_root.hpp"
#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

struct LocalClipByValueOptions {
  double max_value = 1.0;  // c, of the sum over the ranks
};

/// Clamps the elements of this rank's contribution to +-c / sqrt(ranks). `LocalClip` bounds its norm instead,
/// and leaves its direction.
///
/// Belongs before the stage that accumulates. Elements that are NaN or infinite stay so, for the stage that
/// looks after them. Where the gradient is still to be multiplied, the product is within the bound up to
/// rounding. Cost: none besides the local sum, which it takes; one pass where that was taken before. Errors:
/// `ContractViolation` unless max_value is above zero. Source: [lin2018]
template <RankedCommunicator Communicator>
class LocalClipByValue {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "local clip by value";
  static constexpr bool needs_unscaled_gradients = true;

  LocalClipByValue(Communicator communicator, LocalClipByValueOptions options)
      : communicator_(std::move(communicator)), options_(options) {
    if (!(options.max_value > 0.0))
      throw ContractViolation("LocalClipByValue: max_value is " + std::to_string(options.max_value) +
                              ", it has to be above 0");
  }

  template <Executor E, class Real>
  requires SummingBackend<E, Real, Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, communicator_, options_);
  }

  /// What a checkpoint tells of it.
  std::string text() const { return "value " + std::to_string(options_.max_value); }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const&, WorkLayout const&) const {
    return 0;
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, Communicator const& communicator,
          LocalClipByValueOptions options)
        : communicator_(communicator), options_(options), terms_(context.plan.size()) {}

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      double const ranks = static_cast<double>(communicator_.size());
      SumEpilogue const epilogue{
          .clamp = {.most = options_.max_value / square_root(ranks), .scale = gradient.scale}};
      if (gradient.materialise(epilogue)) return gradient;
      terms_[gradient.bucket] = {gradient.values, 1.0};
      sum_weighted(gradient.executor, std::span<Term const>(&terms_[gradient.bucket], 1), gradient.values,
                   epilogue);
      return gradient;
    }

   private:
    using Term = WeightedTerm<Real, typename E::memory_space>;

    Communicator communicator_;
    LocalClipByValueOptions options_;
    std::vector<Term> terms_;  // by bucket: a sum that was taken before is its own only term
  };

  Communicator communicator_;
  LocalClipByValueOptions options_;
};

}  // namespace weir::inline v1
