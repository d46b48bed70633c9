#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/vocabulary.hpp"

namespace weir::inline v1 {

/// The elements of a view, in host memory. Blocks until the executor's stream has got there.
template <TransferringBackend E, class Element>
std::vector<std::remove_const_t<Element>> to_host(E const& executor,
                                                  TensorView<Element, typename E::memory_space> view) {
  std::vector<std::remove_const_t<Element>> copy(view.size());
  copy_to_host(executor, view.data(), copy.data(), view.size() * sizeof(Element));
  executor.synchronize();
  return copy;
}

/// Overwrites a view with as many elements of host memory. Blocks until it has happened.
template <TransferringBackend E, class Element>
void from_host(E const& executor, std::span<Element const> elements,
               TensorView<Element, typename E::memory_space> view) {
  if (elements.size() != view.size()) throw ContractViolation("from_host: the sizes differ");
  copy_from_host(executor, elements.data(), view.data(), view.size() * sizeof(Element));
  executor.synchronize();
}

}  // namespace weir::inline v1
