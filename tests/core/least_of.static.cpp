#include "weir/core/least_of.hpp"

namespace {

using weir::detail::least_of;
using weir::detail::most_of;

static_assert(least_of(2, 3) == 2 && least_of(3, 2) == 2 && least_of(2, 2) == 2);
static_assert(most_of(2, 3) == 3 && most_of(3, 2) == 3 && most_of(2, 2) == 2);

}  // namespace
