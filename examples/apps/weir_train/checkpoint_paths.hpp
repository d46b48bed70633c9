#pragma once

#include <cstddef>
#include <string>

#include "configuration.hpp"

namespace weir_train {

/// With sparsified gradients each rank has what it has not sent yet, and so a checkpoint of its own beside
/// that of rank 0.
inline std::string checkpoint_path(std::string const& path, std::size_t rank) {
  return rank == 0 ? path : path + ".rank" + std::to_string(rank);
}

inline bool has_checkpoint(Configuration const& configuration, std::size_t rank) {
  return rank == 0 || configuration.sparsification;
}

}  // namespace weir_train
