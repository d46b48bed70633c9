#pragma once

#include <cstddef>

namespace weir::inline v1::detail {

/// A size, or up to an eighth more, so that sizes that follow from the data are few: a communicator agrees on
/// each size of a gather that it has not seen, and keeps it.
constexpr std::size_t coarse_size(std::size_t size) {
  std::size_t unit = 1;
  while (unit * 16 < size) unit *= 2;
  return (size + unit - 1) / unit * unit;
}

}  // namespace weir::inline v1::detail
