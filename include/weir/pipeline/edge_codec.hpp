#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::inline v1 {

/// In which form tensors travel from one worker to another: as they are, rounded to 16 bits, or the largest
/// elements of each, which the pipeline's `EdgeSparsifier` selects. What a worker hands to itself is never
/// changed.
enum class EdgeCodec : std::uint8_t { none, half, bfloat16, sparse };

constexpr char const* name_of(EdgeCodec codec) {
  constexpr char const* names[] = {"none", "half", "bfloat16", "sparse"};
  auto const index = static_cast<std::size_t>(codec);
  return index < sizeof(names) / sizeof(names[0]) ? names[index] : "unknown";
}

}  // namespace weir::inline v1
