#include "weir/exec/weight_copies.hpp"

#include <type_traits>

// Kernels take it by value; what is not said is not copied.
static_assert(std::is_trivially_copyable_v<weir::WeightCopies>);
static_assert(weir::WeightCopies{}.by_parameter == nullptr);
