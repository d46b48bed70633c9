#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/tensor/view.hpp"

namespace weir::inline v1 {

/// How many slots were selected, and how many would have been without the capacity. The same two words as a
/// `PairHeader` of comm/.
struct SelectionCounts {
  std::uint64_t count = 0;
  std::uint64_t wanted = 0;
};

/// Room for the selected slots of a bucket, in ascending order of their indices, and their values.
///
/// Shapes: of both views the first `counts->count` entries are meant; their size is the capacity.
template <class Real, class Space, class Index = std::uint32_t>
struct Selection {
  SelectionCounts* counts = nullptr;  // in the executor's memory
  TensorView<Index, Space> indices;   // relative to the bucket
  TensorView<Real, Space> values;

  WEIR_HOST_DEVICE constexpr std::size_t capacity() const { return indices.size(); }
};

}  // namespace weir::inline v1
