#pragma once

#include <cstddef>

#include "weir/exec/arguments.hpp"
#include "weir/host/executor.hpp"
#include "weir/host/kernels/visit_entries.hpp"
#include "weir/host/sweep.hpp"

namespace weir::inline v1 {

/// Sets what a mask does not hold to 0 in a dense matrix, row-major, outputs x inputs.
///
/// Cost: one pass over the matrix; no mask array is made. Errors: `ContractViolation` for another size.
template <class Layout, class Real>
void clear_dead(HostExecutor const& executor, Layout const& layout, TensorView<Real, HostSpace> matrix) {
  detail::Arguments("clear_dead")
      .same_size("the matrix", matrix.size(), "the mask", layout.outputs() * layout.inputs());
  executor.submit([layout, matrix](HostExecutor const& point) {
    auto const entries = detail::entries_of<false>(layout);
    detail::share(point.team(), entries.outputs, entries.inputs * sizeof(Real) + 1,
                  [&](std::size_t begin, std::size_t end) {
                    using detail::EntryList;
                    EntryList list;
                    Real live[EntryList::capacity];
                    for (std::size_t row = begin; row < end; ++row) {
                      Real* const numbers = matrix.data() + row * entries.inputs;
                      for (std::size_t first = 0; first < entries.inputs; first += EntryList::capacity) {
                        std::size_t const last = detail::smaller(entries.inputs, first + EntryList::capacity);
                        entries.list(row, first, last, list);
                        for (std::size_t i = 0; i < list.size; ++i) live[i] = numbers[list.input[i]];
                        for (std::size_t i = first; i < last; ++i) numbers[i] = Real{0};
                        for (std::size_t i = 0; i < list.size; ++i) numbers[list.input[i]] = live[i];
                      }
                    }
                  });
  });
}

}  // namespace weir::inline v1
