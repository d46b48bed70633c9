#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/comm/pair_list.hpp"
#include "weir/stage/concepts.hpp"

namespace weir_train {

/// A stage that counts what a sparsifier hands to the all-reduce behind it: of each bucket the number of
/// pairs, and the pairs. `total` outlives the recipe, and is to be read when the recipe does nothing.
class SentBytes {
 public:
  using consumes = weir::Sparse;
  using produces = weir::Sparse;
  static constexpr char const* name = "sent bytes";

  explicit SentBytes(std::uint64_t& total) : total_(&total) {}

  template <weir::HostOrderedExecutor E, class Real>
  auto on(weir::RecipeContext<E, Real> const&) const {
    return [total = total_](weir::SparseGradient<E, Real> const& gradient) {
      gradient.executor.submit([total, count = gradient.count](E const&) {
        *total += sizeof *count + 8 * weir::detail::PairRoom<Real>::words(*count);
      });
      return gradient;
    };
  }

 private:
  std::uint64_t* total_;
};

}  // namespace weir_train
