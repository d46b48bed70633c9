#include "weir/stage/step_info.hpp"

#include <type_traits>

// Travels in the slots of streams.
static_assert(std::is_trivially_copyable_v<weir::StepInfo> && sizeof(weir::StepInfo) <= 64);
