#include "weir/exec/sparsify_work.hpp"

#include <type_traits>

#include "weir/core/half.hpp"

using Work = weir::SparsifyWork<weir::half, float, weir::HostSpace>;
static_assert(std::is_trivially_copyable_v<Work>);
static_assert(Work{}.part == weir::SparsifyPart::whole && Work{}.shared_tail == nullptr &&
              Work{}.step == nullptr);
static_assert(Work{}.residual.empty() && Work{}.momentum.empty() && Work{}.accumulator.empty());
