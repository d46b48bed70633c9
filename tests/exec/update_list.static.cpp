#include "weir/exec/update_list.hpp"

#include <type_traits>

// Kernels take it by value, and by default all parameters are used and nothing is copied.
static_assert(std::is_trivially_copyable_v<weir::UpdateList<float>>);
static_assert(weir::UpdateList<float>{}.used == nullptr);
static_assert(weir::UpdateList<double>{}.copies.by_parameter == nullptr);
static_assert(sizeof(weir::UpdateChunk<float>) == 40);
