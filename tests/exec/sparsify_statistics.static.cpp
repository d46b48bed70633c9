#include "weir/exec/sparsify_statistics.hpp"

#include <type_traits>

static_assert(std::is_trivially_copyable_v<weir::SparsifyStatistics>);
static_assert(weir::SparsifyStatistics{}.status == weir::SparsifyStatus::none);
static_assert(weir::SparsifyStatistics{}.quality == 1.0);
