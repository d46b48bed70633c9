#pragma once

#include <cstddef>
#include <string>

#include "table.hpp"

namespace weir_train {

/// Whether sending less has paid, by the cost table of the library and what was measured after a run.
struct Advice {
  std::size_t ranks = 0;
  double seconds_dense = 0;   // of a step, for summing whole gradients
  double seconds_sparse = 0;  // for selecting, sending and adding up
  double density = 0;         // up to which it pays

  bool pays() const { return seconds_sparse < seconds_dense; }
};

/// One line where it does not pay, else nothing.
inline std::string text_of(Advice const& advice, std::string const& name) {
  if (advice.pays()) return {};
  auto const milliseconds = [](double seconds) { return formatted("%.3g", 1e3 * seconds) + " ms"; };
  return "Sparsifying does not pay in \"" + name + "\": " + milliseconds(advice.seconds_sparse) +
         " a step to select, send and add up, " + milliseconds(advice.seconds_dense) +
         " for whole gradients over these " + std::to_string(advice.ranks) + " ranks, as measured here; " +
         (advice.density > 0 ? "a density of at most " + formatted("%.2g", advice.density) + ", or none, "
                             : "no --density ") +
         "would be faster.\n";
}

}  // namespace weir_train
