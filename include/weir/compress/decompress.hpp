#pragma once

#include <concepts>
#include <cstdint>

#include "weir/exec/sparsifying_backend.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/stage/recipe.hpp"

namespace weir::inline v1 {

/// Makes a dense gradient of the elements that this rank has selected. Put in by `|` where a stage that
/// sparsifies is followed by one that takes dense gradients only.
///
/// Cost: clears the bucket, and writes what was selected.
class Decompress {
 public:
  using consumes = Sparse;
  using produces = Dense;
  static constexpr char const* name = "decompress";

  template <Executor E, class Real>
  requires ScatteringBackend<E, Real> && CopyingBackend<E, Real>
  auto on(RecipeContext<E, Real> const&) const { return Bound<E, Real>{}; }

 private:
  template <Executor E, class Real>
  struct Bound {
    DenseGradient<E, Real> operator()(SparseGradient<E, Real> const& sparse) const {
      if (!sparse.is_whole) {
        set_zero(sparse.executor, sparse.dense);
        scatter_add(sparse.executor, ViewOn<std::uint32_t const, E>(sparse.indices),
                    ViewOn<Real const, E>(sparse.values), sparse.count, sparse.dense);
      }
      return {.executor = sparse.executor,
              .values = sparse.dense,
              .bucket = sparse.bucket,
              .samples = sparse.samples,
              .step = sparse.step,
              .scale = sparse.scale};
    }
  };
};

/// A stage that sparsifies, on one rank: the next stage takes what was selected as a dense gradient.
template <GradientStage First, GradientStage Second>
requires(std::same_as<typename First::produces, Sparse> && !Feeds<First, Second> &&
         Feeds<Decompress, Second> && !std::same_as<typename Second::produces, Sparse>) auto
operator|(First const& first, Second const& second) {
  return Recipe(
      std::tuple_cat(detail::stages_of(first), detail::stages_of(Decompress{}), detail::stages_of(second)));
}

}  // namespace weir::inline v1
