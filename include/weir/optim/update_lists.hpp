#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "weir/exec/multi_tensor_backend.hpp"
#include "weir/stage/context.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// The lists of all buckets, for updates of many tensors in one launch.
///
/// Cost: 40 bytes for every 2048 elements, and for each parameter, in the executor's memory and once more on
/// the host.
template <Executor E, class Real>
class UpdateLists {
 public:
  /// Allocates.
  explicit UpdateLists(RecipeContext<E, Real> const& context)
      : chunks_(chunks_of(context)), buffer_(context.executor, chunks_.size()) {}

  /// Enqueues the copy to the executor's memory.
  void fill(E const& executor) const {
    copy_from_host(executor, chunks_.data(), buffer_.data(), chunks_.size() * sizeof(UpdateChunk<Real>));
  }

  /// The weights of a bucket.
  UpdateList<Real> operator[](std::size_t bucket) const {
    return {.chunks = buffer_.data() + ranges_[bucket].first,
            .count = ranges_[bucket].count,
            .elements = ranges_[bucket].elements};
  }

 private:
  struct Range {
    std::size_t first;
    std::size_t count;
    std::size_t elements;
  };

  std::vector<UpdateChunk<Real>> chunks_of(RecipeContext<E, Real> const& context) {
    std::vector<UpdateChunk<Real>> all;
    for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) {
      std::vector<UpdatePiece<Real>> pieces;
      for (std::size_t parameter : context.plan[bucket].parameters) {
        auto const weights = context.weights[parameter];
        pieces.push_back({weights.data(), weights.data(), weights.size(),
                          context.plan.place(parameter).offset, parameter});
      }
      auto const chunks = cut_into_chunks(std::span<UpdatePiece<Real> const>(pieces));
      ranges_.push_back({all.size(), chunks.size(), context.plan[bucket].size});
      all.insert(all.end(), chunks.begin(), chunks.end());
    }
    return all;
  }

  std::vector<Range> ranges_;              // by bucket
  std::vector<UpdateChunk<Real>> chunks_;  // read by the copy to the executor's memory, whenever it runs
  Buffer<UpdateChunk<Real>, E> buffer_;
};

}  // namespace weir::inline v1
