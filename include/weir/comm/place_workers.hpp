#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "weir/core/error.hpp"

namespace weir::inline v1::detail {

/// The rank that each worker of a pipeline is on: `given`, or, where that is empty, as many on each rank, in
/// order. `who` asks.
/// Errors: `ContractViolation` for a rank that there is not, or that would have no worker.
inline std::vector<std::size_t> place_workers(std::string const& who, std::vector<std::size_t> const& given,
                                              std::size_t workers, std::size_t ranks) {
  auto const refuse = [&](std::string const& text) { throw ContractViolation(who + ": " + text); };
  if (!given.empty()) {
    if (given.size() != workers)
      refuse("ranks for " + std::to_string(given.size()) + " workers, the table has " +
             std::to_string(workers));
    for (std::size_t const rank : given) {
      if (rank >= ranks)
        refuse("a worker on rank " + std::to_string(rank) + ", there are " + std::to_string(ranks));
    }
    return given;
  }
  if (workers < ranks)
    refuse(std::to_string(workers) + " workers for " + std::to_string(ranks) +
           " ranks: at least one for each would be right");
  std::vector<std::size_t> places;
  for (std::size_t worker = 0; worker < workers; ++worker) places.push_back(worker * ranks / workers);
  return places;
}

}  // namespace weir::inline v1::detail
