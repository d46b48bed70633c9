#include "weir/exec/search_task.hpp"

#include <type_traits>

// They lie in the executor's memory while a search goes on.
static_assert(std::is_trivially_copyable_v<weir::SlotCut<float>> &&
              std::is_trivially_copyable_v<weir::RankQuery> &&
              std::is_trivially_copyable_v<weir::RankAnswer>);
static_assert(weir::RankQuery{}.parent_shift == 63);  // of any key 0 is left: the first query looks at all
