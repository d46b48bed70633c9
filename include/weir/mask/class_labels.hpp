#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "weir/core/error.hpp"

namespace weir::inline v1 {
namespace detail {

/// Refuses a label that is no class.
inline void check_labels(char const* who, std::span<std::size_t const> labels, std::size_t classes) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < classes) continue;
    throw ContractViolation(std::string(who) + ": label " + std::to_string(labels[i]) + " of sample " +
                            std::to_string(i) + ", there are " + std::to_string(classes) + " classes");
  }
}

}  // namespace detail
}  // namespace weir::inline v1
