#include "weir/exec/weight_shift.hpp"

#include <type_traits>

// Kernels take it by value; an update is in place unless it is said where else.
static_assert(std::is_trivially_copyable_v<weir::WeightShift>);
static_assert(!weir::WeightShift{}.moves());
static_assert(weir::WeightShift{.read = 0, .write = 64}.moves());
