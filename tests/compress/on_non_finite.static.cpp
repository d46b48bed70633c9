#include "weir/compress/on_non_finite.hpp"

static_assert(weir::OnNonFinite<weir::NonFinitePolicy::error>::policy == weir::NonFinitePolicy::error);
