#include "weir/comm/direction.hpp"

// A table without copies has the forward direction only.
static_assert(weir::Direction{} == weir::Direction::forward);
static_assert(sizeof(weir::Direction) == 1);
