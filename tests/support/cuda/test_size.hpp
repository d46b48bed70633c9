#pragma once

#include <cstddef>
#include <cstdlib>

/// Whether big cases are to be made small: set by `./dev gpu sanitize`, under whose tools kernels run up to a
/// hundred times slower.
inline bool small_cases_only() {
  return std::getenv("WEIR_SMALL_CASES") != nullptr;
}

/// The size of a case: `size`, or at most `small` where cases are to be small.
inline std::size_t case_size(std::size_t size, std::size_t small) {
  return small_cases_only() && small < size ? small : size;
}
