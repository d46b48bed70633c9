#include "weir/core/smaller.hpp"

namespace {

using weir::detail::larger;
using weir::detail::smaller;

static_assert(smaller(2, 3) == 2 && smaller(3, 2) == 2 && smaller(2, 2) == 2);
static_assert(larger(2, 3) == 3 && larger(3, 2) == 3 && larger(2, 2) == 2);

}  // namespace
