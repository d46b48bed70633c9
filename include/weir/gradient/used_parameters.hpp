#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Leaves parameters alone that no worker of any rank has used in a step: no update, no weight decay, no
/// decay of their momentum. A parameter is used when a model asks for its gradient.
///
/// Belongs before the optimizer. Cost: one collective of a word per parameter and step; needs all buckets.
/// Source: [iidp], which looks at one worker only.
template <class Communicator>
class UsedParameters {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "used parameters";
  static constexpr bool needs_all_buckets = true;

  explicit UsedParameters(Communicator communicator) : communicator_(std::move(communicator)) {}

  template <HostOrderedExecutor E, class Real>
  requires ReducingCommunicator<Communicator, E, std::uint32_t>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context, communicator_); }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&) const {
    return plan.parameters() * sizeof(std::uint32_t);
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, Communicator const& communicator)
        : communicator_(communicator),
          by_worker_(context.used),
          counted_(context.executor, context.plan.parameters()),
          used_(context.plan.parameters()) {
      communicator_.reserve(context.executor, counted_.size() * sizeof(std::uint32_t));
    }

    void prepare(DenseGradient<E, Real>&) {}

    void decide(E const& point, StepInfo const&) {
      for (std::size_t parameter = 0; parameter < used_.size(); ++parameter) {
        std::uint32_t any = 0;
        for (std::uint8_t const* worker : by_worker_) any |= worker[parameter];
        counted_.data()[parameter] = any;
      }
      communicator_.all_reduce(point, counted_.view(), ReduceOp::max);
      for (std::size_t parameter = 0; parameter < used_.size(); ++parameter) {
        used_[parameter] = counted_.data()[parameter] != 0;
      }
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) const {
      gradient.used = used_.data();
      return gradient;
    }

    /// Of the last step that has passed.
    bool used(std::size_t parameter) const { return used_[parameter] != 0; }

    void abort() noexcept { communicator_.abort(); }

   private:
    Communicator communicator_;
    std::vector<std::uint8_t*> const& by_worker_;
    Buffer<std::uint32_t, E> counted_;
    std::vector<std::uint8_t> used_;
  };

  Communicator communicator_;
};

}  // namespace weir::inline v1
