#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/plan/profile.hpp"

namespace weir_plan {

/// Profiles this machine as a single device, with the built-in model and up to `threads` workers; what an
/// all-reduce between two of its threads takes is measured, too. Blocks for seconds.
/// Errors: `RunError` if the bundled data cannot be read.
weir::Profile measure_host(std::size_t threads, std::uint64_t seed);

/// Profiles the first GPU. Defined where this program is built with CUDA.
/// Errors: as above, and without a GPU; `CudaError`.
weir::Profile measure_cuda(std::uint64_t seed);

}  // namespace weir_plan
