#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "weir/compress/sparsifier_memory.hpp"
#include "weir/core/error.hpp"
#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

namespace detail {
template <class Stage>
inline constexpr bool selects_for_itself = requires {
  requires Stage::selects_for_itself;
};
}  // namespace detail

struct ErrorFeedbackOptions {
  double beta = 1.0;   // of what is left from former steps
  double gamma = 1.0;  // of the gradient
};

/// Keeps what a sparsifier does not send, and adds it to the gradient of the next step:
/// acc = beta * residual + gamma * gradient, and the residual is what of acc was not sent, bit for bit.
/// With the defaults nothing is ever lost.
///
/// The pending scale of the gradient is applied before, so that the residual is in units of what is updated
/// and stays valid when workers or ranks change. A step that is skipped or fails leaves the residual as it
/// was.
///
/// Cost: two vectors per bucket, of which each step reads one and writes the other. Errors:
/// `ContractViolation` for a factor that is not finite, a gamma of 0, or a sparsifier that multiplies what it
/// sends. Source: [seide2014], [karimireddy2019]
template <class Stage>
class ErrorFeedback {
  static_assert(
      Sparsifier<Stage>,
      "ErrorFeedback keeps what a sparsifier does not send: give it a ThresholdSparsifier, and no other "
      "stage");

 public:
  using consumes = Dense;
  using produces = Sparse;
  static constexpr char const* name = "error feedback";
  static constexpr bool needs_unscaled_gradients = true;
  static constexpr bool selects_for_itself = detail::selects_for_itself<Stage>;

  explicit ErrorFeedback(Stage const& sparsifier, ErrorFeedbackOptions options = {})
      : sparsifier_(sparsifier.remembering(memory(options))), options_(options) {}

  template <Executor E, class Real>
  requires BindsToRecipe<Stage, E, Real>
  auto on(RecipeContext<E, Real> const& context) const { return sparsifier_.on(context); }

  /// Whether the density of its sparsifier comes down in the first epochs.
  bool has_warmup() const requires selects_for_itself { return sparsifier_.has_warmup(); }

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
  static SparsifierMemory memory(ErrorFeedbackOptions options) {
    if (!__builtin_isfinite(options.beta) || !__builtin_isfinite(options.gamma) || options.gamma == 0.0)
      throw ContractViolation("ErrorFeedback: beta is " + std::to_string(options.beta) + " and gamma " +
                              std::to_string(options.gamma) + ", they have to be finite and gamma not 0");
    return {.kind = SparsifierMemoryKind::residual, .beta = options.beta, .gamma = options.gamma};
  }

  Stage sparsifier_;
  ErrorFeedbackOptions options_;
};

}  // namespace weir::inline v1
