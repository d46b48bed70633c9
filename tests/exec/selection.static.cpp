#include "weir/exec/selection.hpp"

#include <type_traits>

#include "weir/comm/gather_pairs.hpp"

// A selection may lie in a block of pairs.
static_assert(sizeof(weir::SelectionCounts) == sizeof(weir::PairHeader));
static_assert(__builtin_offsetof(weir::SelectionCounts, count) ==
              __builtin_offsetof(weir::PairHeader, count));
static_assert(__builtin_offsetof(weir::SelectionCounts, wanted) ==
              __builtin_offsetof(weir::PairHeader, wanted));

using Selection = weir::Selection<float, weir::HostSpace>;
static_assert(std::is_trivially_copyable_v<Selection>);
static_assert(Selection{}.capacity() == 0);
static_assert(std::is_same_v<decltype(Selection::indices), weir::TensorView<std::uint32_t, weir::HostSpace>>);
