#pragma once

#include <cstddef>
#include <vector>

#include "weir/stage/context.hpp"

namespace weir::inline v1 {

/// How the work of a step is shared out over the ranks.
struct RankLayout {
  std::size_t rank = 0;
  std::vector<WorkLayout> ranks = {WorkLayout{}};

  /// The global index of this rank's first micro-batch.
  std::size_t first_micro_batch() const { return micro_batches_before(rank); }
  /// N, of all ranks.
  std::size_t total_micro_batches() const { return micro_batches_before(ranks.size()); }

 private:
  std::size_t micro_batches_before(std::size_t end) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < end; ++i) count += ranks[i].workers * ranks[i].micro_batches;
    return count;
  }
};

}  // namespace weir::inline v1
