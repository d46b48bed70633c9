#pragma once

#include <cstddef>
#include <cstdint>

/// Whether a model that leaves parameters alone asks for a gradient: for that of parameter 1 in one
/// micro-batch of all, for that of parameter 2 in the first step only, so that what is captured later is
/// always the same.
constexpr bool is_used(std::size_t parameter, std::size_t micro_batch, std::uint64_t step) {
  if (parameter == 1) return micro_batch == 1;
  return parameter != 2 || step == 0;
}
