#pragma once

#include <cstdint>

namespace weir::inline v1 {

/// A stage whose output another one, further on, reads too.
struct SkipEdge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
};

}  // namespace weir::inline v1
