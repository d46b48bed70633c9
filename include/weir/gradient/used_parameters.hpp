#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/mark_used.hpp"
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
  static constexpr bool marks_used_parameters = true;

  explicit UsedParameters(Communicator communicator) : communicator_(std::move(communicator)) {}

  template <Executor E, class Real>
  requires ReducingCommunicator<Communicator, E, std::uint32_t> && ScalarBackend<E, MarkUsed>
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
          executor_(context.executor),
          by_worker_(context.used),
          used_(context.executor, context.plan.parameters()) {
      communicator_.reserve(context.executor, used_.size() * sizeof(std::uint32_t));
    }

    void prepare(DenseGradient<E, Real>&) {}

    void decide(E const& point, StepInfo const&) {
      for (std::size_t first = 0; first < used_.size(); first += MarkUsed::capacity) {
        std::size_t const rest = used_.size() - first;
        MarkUsed mark{used_.data() + first, rest < MarkUsed::capacity ? rest : MarkUsed::capacity};
        for (std::size_t flag = 0; flag < mark.count; ++flag) {
          for (std::uint8_t const* worker : by_worker_)
            if (worker[first + flag] != 0) mark.set(flag);
        }
        apply_scalars(point, mark);
      }
      communicator_.all_reduce(point, used_.view(), ReduceOp::max);
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) const {
      gradient.used = used_.data();
      return gradient;
    }

    /// Of the last step that has passed. Blocks.
    bool used(std::size_t parameter) const {
      return to_host(executor_, used_.view().part(parameter, 1))[0] != 0;
    }

    void watch() requires(CheckableCommunicator<Communicator>) { communicator_.check(); }
    void abort() noexcept { communicator_.abort(); }

   private:
    Communicator communicator_;
    E executor_;
    std::vector<std::uint8_t*> const& by_worker_;
    Buffer<std::uint32_t, E> used_;
  };

  Communicator communicator_;
};

}  // namespace weir::inline v1
