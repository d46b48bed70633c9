#pragma once

#include <cstddef>
#include <string>

#include "configuration.hpp"
#include "errors.hpp"
#include "weir/core/error.hpp"

namespace weir_train {

/// With sparsified gradients each rank has what it has not sent yet, and so a checkpoint of its own beside
/// that of rank 0.
inline std::string checkpoint_path(std::string const& path, std::size_t rank) {
  return rank == 0 ? path : path + ".rank" + std::to_string(rank);
}

inline bool has_checkpoint(Configuration const& configuration, std::size_t rank) {
  return rank == 0 || configuration.sparsification;
}

/// The file that a rank goes on from.
inline std::string loaded_path(Configuration const& configuration, std::size_t rank) {
  return checkpoint_path(configuration.load, has_checkpoint(configuration, rank) ? rank : 0);
}

/// Of a rank whose training does not take what is in it.
[[noreturn]] inline void refuse_checkpoint(Configuration const& configuration, std::size_t rank,
                                           weir::ArchiveError const& error) {
  throw RunError(loaded_path(configuration, rank) + ": " + error.what() +
                 "; the options that it was saved with would be right");
}

}  // namespace weir_train
