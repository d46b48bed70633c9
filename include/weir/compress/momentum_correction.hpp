#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "weir/compress/sparsifier_memory.hpp"
#include "weir/core/error.hpp"
#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

struct MomentumCorrectionOptions {
  double momentum = 0.9;
  bool nesterov = false;
  bool masking = true;  // the momentum of a slot that is sent starts anew
};

/// An error feedback whose slots gather momentum while they wait: u = m u + g, v = v + u, and v is what a
/// sparsifier selects from; with Nesterov's momentum u = m (u + g), v = v + u + g. It takes the place of the
/// optimizer's momentum, and of `ErrorFeedback`.
///
/// In buckets that are sent whole it is plain momentum. A step that is skipped or fails changes nothing.
///
/// Cost: four vectors per bucket, of which each step reads two and writes two. Errors: `ContractViolation`
/// for a momentum outside [0, 1), or a sparsifier that multiplies what it sends. Source: [lin2018]
template <class Stage>
class MomentumCorrection {
  static_assert(
      Sparsifier<Stage>,
      "MomentumCorrection keeps what a sparsifier does not send: give it a ThresholdSparsifier, and no "
      "other stage; it has an error feedback of its own");

 public:
  using consumes = Dense;
  using produces = Sparse;
  static constexpr char const* name = "momentum correction";
  static constexpr bool needs_unscaled_gradients = true;

  explicit MomentumCorrection(Stage const& sparsifier, MomentumCorrectionOptions options = {})
      : sparsifier_(sparsifier.remembering(memory(options))), options_(options) {}

  template <Executor E, class Real>
  requires BindsToRecipe<Stage, E, Real>
  auto on(RecipeContext<E, Real> const& context) const { return sparsifier_.on(context); }

  /// By bucket, how many pairs it gives at most.
  std::vector<std::size_t> sparse_capacity(BucketPlan const& plan) const {
    return sparsifier_.sparse_capacity(plan);
  }

  /// What a checkpoint tells of it.
  std::string text() const { return sparsifier_.text() + memory(options_).text(); }

  /// What it allocates when it is bound, besides the scratch memory of the backend. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    return sparsifier_.template workspace_bytes<Real>(plan, layout);
  }

 private:
  static SparsifierMemory memory(MomentumCorrectionOptions options) {
    if (!(options.momentum >= 0.0 && options.momentum < 1.0))
      throw ContractViolation("MomentumCorrection: momentum is " + std::to_string(options.momentum) +
                              ", it has to be at least 0 and below 1");
    return {.kind = SparsifierMemoryKind::momentum,
            .momentum = options.momentum,
            .nesterov = options.nesterov,
            .masks_momentum = options.masking};
  }

  Stage sparsifier_;
  MomentumCorrectionOptions options_;
};

}  // namespace weir::inline v1
