#pragma once

#include <cstddef>

namespace weir::inline v1 {

/// The samples of this rank alone, for `workers(LocalBatch{samples}, model)`, where a batch would hold those
/// of all ranks. Micro-batch t of worker w takes the entries from (w * m + t) * b on.
template <class Batch>
struct LocalBatch {
  Batch samples;
  std::size_t samples_of_all_ranks = 0;  // 0: not known, so that the ranks exchange one integer per step
};

template <class Batch>
LocalBatch(Batch) -> LocalBatch<Batch>;
template <class Batch>
LocalBatch(Batch, std::size_t) -> LocalBatch<Batch>;

}  // namespace weir::inline v1
