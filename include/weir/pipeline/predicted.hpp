#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "weir/pipeline/weight_store.hpp"

namespace weir::inline v1 {

/// Which weights are predicted, and how far.
struct Prediction {
  std::size_t stage = 0;
  std::size_t parameter = 0;  ///< of the stage
  std::uint64_t version = 0;  ///< that there is; updates from the first run on
  std::uint64_t steps = 0;    ///< updates until the one that the micro-batches' gradient goes into
};

/// A store whose stages do not read weights that are late, but what `hook` makes of them: before the first
/// forward of a period, `hook(executor, prediction, weights, predicted)` fills `predicted` from `weights`,
/// for each parameter of a stage whose weights are older than those that its gradient will change. All calls
/// for the period's micro-batches then read the prediction; updates start from the weights themselves, and
/// evaluations read these. `Predicted{DoubleBuffer{}, hook}`.
///
/// The hook is called by the workers, for different stages at the same time, and in the order of periods for
/// one stage. Cost: as many versions more as gradients may be late, and one. Parameters that several stages
/// share cannot be predicted.
template <WeightStore Base, class Hook>
class Predicted {
 public:
  static constexpr bool predicts = true;

  Predicted(Base base, Hook hook) : base_(std::move(base)), hook_(std::move(hook)) {}

  constexpr std::uint32_t versions(std::uint32_t stage, std::uint32_t stages) const {
    return base_.versions(stage, stages);
  }

  template <class E, class Weights, class Result>
  void predict(E const& executor, Prediction const& prediction, Weights const& weights,
               Result const& predicted) const {
    hook_(executor, prediction, weights, predicted);
  }

 private:
  Base base_;
  Hook hook_;
};

}  // namespace weir::inline v1
