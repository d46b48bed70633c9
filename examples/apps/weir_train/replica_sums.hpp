#pragma once

#include <string>

#include "weir/pipeline/hidden_reduce.hpp"

namespace weir_train {

/// One line: what a stage of a pipeline that has replicas needs for the sum over them and its update, and how
/// much of that the schedule hides.
inline std::string text_of(weir::HiddenReduce const& sum, std::string const& name) {
  std::string const verdict = sum.excess() > 0 ? "are not hidden in \"" : "are hidden in \"";
  return "Sums over replicas " + verdict + name + "\": " + sum.text() + ".\n";
}

}  // namespace weir_train
