#pragma once

#include <cstddef>
#include <vector>

#include "weir/stage/context.hpp"

namespace weir::inline v1::detail {

/// What a stage says that it allocates when it is bound, where `sparse_capacity` pairs of each bucket reach
/// it; 0 if it says nothing. Units: bytes.
template <class Real, class Stage>
std::size_t stage_workspace_bytes(Stage const& stage, BucketPlan const& plan, WorkLayout const& layout,
                                  std::vector<std::size_t> const& sparse_capacity) {
  if constexpr (requires { stage.template workspace_bytes<Real>(plan, layout, sparse_capacity); }) {
    return stage.template workspace_bytes<Real>(plan, layout, sparse_capacity);
  } else if constexpr (requires { stage.template workspace_bytes<Real>(plan, layout); }) {
    return stage.template workspace_bytes<Real>(plan, layout);
  } else {
    return 0;
  }
}

}  // namespace weir::inline v1::detail
