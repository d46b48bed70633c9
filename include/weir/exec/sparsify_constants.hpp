#pragma once

#include <cstdint>

#include "weir/exec/non_finite_policy.hpp"
#include "weir/tensor/element_type.hpp"

namespace weir::inline v1 {

/// How many thresholds are fitted one above the other.
enum class StageCount : std::uint8_t {
  fixed,     // always as many
  ratio,     // as many as it takes when each leaves the same part of the one before
  adaptive,  // follows the quality of the selections
};

/// The rule by which an adaptive number of stages follows the quality c of a window of calls.
enum class StageRule : std::uint8_t {
  greedy = 1,       // one stage fewer where too much was selected, one more where too little
  turning = 2,      // turns round where c has moved away from 1
  progressive = 3,  // turns round unless c comes nearer from outside the band
  memory = 4,       // goes where the scores of former windows were best
};

struct StageConstants {
  StageCount count = StageCount::fixed;
  std::uint32_t stages = 1;   // fixed
  double ratio = 0.1;         // of each stage after the first
  double first_ratio = 0.25;  // of the first of several stages
  StageRule rule = StageRule::memory;
  bool moves_first_ratio =
      false;  // adaptive: also the first ratio, where moving between stages has not helped
};

/// Keeping a threshold for several steps, corrected by the quality of each: t becomes t * q^gain.
struct ReuseConstants {
  std::uint32_t interval = 0;  // in steps, after which it is estimated anew; 0: in every step
  double gain = 0.02;
};

/// What becomes of that which is not sent.
enum class FeedbackKind : std::uint8_t {
  conserving,   // the residual is what was not sent: sent + residual == accumulator
  differences,  // the accumulator is the gradient less a memory, which gains what was sent (EF21)
};

/// What a sparsification needs to know that does not change from step to step.
struct SparsifyConstants {
  StageConstants stages = {};
  ReuseConstants reuse = {};
  NonFinitePolicy non_finite = NonFinitePolicy::skip;
  FeedbackKind feedback = FeedbackKind::conserving;
  double beta = 1.0;  // accumulator = beta * residual + gamma * gradient
  double gamma = 1.0;
  double momentum = 0.0;  // of the correction, where there is a momentum vector
  bool nesterov = false;
  bool masks_momentum = true;     // the momentum of a sent slot becomes 0
  bool keeps_non_finite = false;  // in the residual, for somebody who sends all of that
  bool rounds_values = false;     // sent values are rounded to `precision`, float16 or bfloat16
  ElementType precision = ElementType::float16;
  std::uint64_t seed = 0;
  std::uint64_t bucket = 0;  // stable id
};

}  // namespace weir::inline v1
