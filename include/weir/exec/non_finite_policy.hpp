#pragma once

#include <cstdint>

namespace weir::inline v1 {

/// What to do with a bucket that holds a NaN or an infinity.
enum class NonFinitePolicy : std::uint8_t {
  skip,       // in this step it counts as nothing: its gradient as zero, its selection as empty
  propagate,  // what is not finite goes on, and is counted
  error,      // the step fails with `NonFiniteGradient`; on a device as `skip`, and `wait` throws
};

}  // namespace weir::inline v1
