#include "weir/core/clock.hpp"

namespace {

using std::chrono::steady_clock;

static_assert(steady_clock::is_steady);
static_assert(std::chrono::hours(1) > std::chrono::milliseconds(1));
static_assert(steady_clock::time_point::max() - std::chrono::microseconds(1) <
              steady_clock::time_point::max());

}  // namespace
