#pragma once

#include <optional>
#include <span>
#include <string>

#include "advice.hpp"
#include "bucket.hpp"

namespace weir_sparsify {

struct NamedStep {
  std::string file;
  StepReport step;
};

/// A table, or a JSON object.
std::string report(std::span<NamedStep const> steps, std::optional<Advice> const& advice, bool json);

}  // namespace weir_sparsify
