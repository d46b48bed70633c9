#include "weir/exec/sparsify_constants.hpp"

#include <type_traits>

// Kernels take them by value.
static_assert(std::is_trivially_copyable_v<weir::SparsifyConstants>);

// The defaults conserve, skip, and fit once in every step.
constexpr weir::SparsifyConstants constants;
static_assert(constants.beta == 1.0 && constants.gamma == 1.0);
static_assert(constants.non_finite == weir::NonFinitePolicy::skip);
static_assert(constants.feedback == weir::FeedbackKind::conserving && !constants.rounds_values);
static_assert(constants.stages.count == weir::StageCount::fixed && constants.stages.stages == 1);
static_assert(constants.stages.first_ratio == 0.25 && constants.stages.rule == weir::StageRule::memory);
static_assert(constants.reuse.interval == 0 && constants.masks_momentum);
