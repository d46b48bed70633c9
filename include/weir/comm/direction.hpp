#pragma once

#include <cstdint>

namespace weir::inline v1 {

/// Which copy of the model a micro-batch of a pipeline runs through, where a schedule has two: stage 0 is on
/// the first worker in the one, and on the last in the other.
enum class Direction : std::uint8_t { forward, reverse };

}  // namespace weir::inline v1
