#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include "weir/core/number_text.hpp"
#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

/// What a sparsifier keeps of a gradient for later steps.
enum class SparsifierMemoryKind : std::uint8_t {
  none,
  residual,  // what was not sent: acc = beta * residual + gamma * gradient
  momentum,  // the same, and a momentum whose sum it is
  estimate,  // what the other ranks know of the gradient: the difference is sent
};

struct SparsifierMemory {
  SparsifierMemoryKind kind = SparsifierMemoryKind::none;
  double beta = 1.0;
  double gamma = 1.0;
  double momentum = 0.0;
  bool nesterov = false;
  bool masks_momentum = true;

  constexpr bool is_kept() const { return kind != SparsifierMemoryKind::none; }

  /// What a checkpoint tells of it, besides the kind: what is kept has a name of its own there.
  std::string text() const {
    std::string text;
    if (beta != 1.0) text += ", beta " + detail::number_text(beta);
    if (gamma != 1.0) text += ", gamma " + detail::number_text(gamma);
    if (kind != SparsifierMemoryKind::momentum) return text;
    text += ", momentum " + detail::number_text(momentum);
    if (nesterov) text += ", nesterov";
    if (!masks_momentum) text += ", not masked";
    return text;
  }
};

/// A stage that selects from a gradient, and that can be told what to keep of it: `remembering(memory)` is
/// the same stage with that memory. It is what `ErrorFeedback`, `MomentumCorrection` and `EF21` are made of.
template <class S>
concept Sparsifier = GradientStage<S> && std::same_as<typename S::consumes, Dense> &&
    std::same_as<typename S::produces, Sparse> && requires(S const& stage, SparsifierMemory const& memory) {
  { stage.remembering(memory) } -> std::same_as<S>;
};

}  // namespace weir::inline v1
