#include "weir/exec/epilogue.hpp"

#include <type_traits>

// Kernels read it as it lies in memory.
static_assert(std::is_trivially_copyable_v<weir::SumEpilogue> &&
              std::is_standard_layout_v<weir::SumEpilogue>);
static_assert(weir::SumEpilogue{}.measurement == nullptr && weir::SumEpilogue{}.residual == nullptr &&
                  weir::SumEpilogue{}.tail == nullptr && weir::SumEpilogue{}.clamp.is_empty(),
              "nothing is done unless it is asked for");
