#pragma once

#include <span>
#include <string>

#include "bucket.hpp"

namespace weir_sparsify {

struct NamedStep {
  std::string file;
  StepReport step;
};

/// A table, or a JSON object.
std::string report(std::span<NamedStep const> steps, bool json);

}  // namespace weir_sparsify
