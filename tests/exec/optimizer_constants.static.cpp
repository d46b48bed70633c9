#include "weir/exec/optimizer_constants.hpp"

#include <type_traits>

// Kernels take them by value.
static_assert(std::is_trivially_copyable_v<weir::SgdConstants> &&
              std::is_trivially_copyable_v<weir::AdamConstants>);
static_assert(weir::SgdConstants{}.momentum == 0.0 && weir::SgdConstants{}.weight_decay == 0.0 &&
              !weir::SgdConstants{}.nesterov);
static_assert(weir::AdamConstants{}.beta1 < weir::AdamConstants{}.beta2 && weir::AdamConstants{}.beta2 < 1.0);
