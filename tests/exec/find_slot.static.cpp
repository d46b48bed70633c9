#include "weir/exec/find_slot.hpp"

#include <cstdint>

namespace {

using weir::no_slot;
using weir::detail::find_slot;

constexpr std::uint16_t some[] = {1, 4, 5, 9};

static_assert(find_slot(some, 4, 1) == 0 && find_slot(some, 4, 5) == 2 && find_slot(some, 4, 9) == 3);
static_assert(find_slot(some, 4, 0) == no_slot && find_slot(some, 4, 6) == no_slot);
static_assert(find_slot(some, 4, 10) == no_slot && find_slot(some, 4, 65536 + 4) == no_slot);
static_assert(find_slot(some, 3, 9) == no_slot);
static_assert(find_slot<std::uint16_t>(nullptr, 0, 0) == no_slot);

}  // namespace
