#include "weir/stage/bind_options.hpp"

static_assert(weir::BindOptions{}.spans == nullptr, "nothing is recorded unless asked for");
