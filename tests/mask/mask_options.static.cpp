#include "weir/mask/mask_options.hpp"

#include <type_traits>

namespace {

static_assert(std::is_aggregate_v<weir::MaskOptions>);
static_assert(std::is_copy_constructible_v<weir::MaskOptions>);
static_assert(std::is_same_v<decltype(weir::MaskOptions::density), double>);

}  // namespace
