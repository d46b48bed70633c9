#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/update_chunk.hpp"
#include "weir/exec/weight_copies.hpp"
#include "weir/exec/weight_shift.hpp"

namespace weir::inline v1 {

/// What an update of many tensors in one launch goes over: the pieces of one bucket, cut into chunks. All
/// pointers are to the executor's memory, and what they point to lives until the work has run.
template <class Real>
struct UpdateList {
  UpdateChunk<Real> const* chunks = nullptr;
  std::size_t count = 0;                // of chunks
  std::size_t elements = 0;             // of the bucket
  std::uint32_t const* used = nullptr;  // by parameter: those of value 0 keep their bits; null: all are used
  WeightCopies copies = {};             // only where `Real` is float
  WeightShift shift = {};               // of the weights in all chunks
};

/// An update of many tensors sums at most so many terms on the way.
inline constexpr std::size_t most_update_terms = 8;

}  // namespace weir::inline v1
