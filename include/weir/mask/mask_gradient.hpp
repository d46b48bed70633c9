#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"
#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

/// A parameter that is a dense matrix, row-major, outputs x inputs, and the mask that says which of its
/// elements are live.
struct MaskedParameter {
  std::size_t parameter;
  BIBDMask<AnyDesign> mask;
};

/// Sets the gradient of dead weights to zero, for trainers that keep dense weights: what is zero stays zero,
/// in the momentum too.
///
/// Cost: one pass over the masked parameters; no mask array is made. Errors: `ContractViolation`, when bound,
/// for a parameter that is not registered or has another number of elements than its mask has positions.
class MaskGradient {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "mask";

  explicit MaskGradient(std::vector<MaskedParameter> parameters) : parameters_(std::move(parameters)) {}

  template <Executor E, class Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, parameters_);
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, std::vector<MaskedParameter> const& parameters) {
      buckets_.resize(context.plan.size());
      for (MaskedParameter const& masked : parameters) {
        check(context.plan, masked);
        auto const [bucket, offset] = context.plan.place(masked.parameter);
        buckets_[bucket].push_back({offset, BoundMask<E, AnyDesign>(context.executor, masked.mask)});
      }
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      auto const& places = buckets_[gradient.bucket];
      if (places.empty()) return gradient;
      gradient.materialise();
      for (Place const& place : places) {
        std::size_t const size = place.mask.mask().outputs() * place.mask.mask().inputs();
        auto const matrix = gradient.values.part(place.offset, size);
        place.mask.visit([&](auto const& layout) { clear_dead(gradient.executor, layout, matrix); });
      }
      return gradient;
    }

   private:
    struct Place {
      std::size_t offset;
      BoundMask<E, AnyDesign> mask;
    };

    static void check(BucketPlan const& plan, MaskedParameter const& masked) {
      std::size_t const size = masked.mask.outputs() * masked.mask.inputs();
      if (masked.parameter < plan.parameters() && plan.parameter(masked.parameter).elements == size) return;
      throw ContractViolation("MaskGradient: parameter " + std::to_string(masked.parameter) +
                              " must be registered with " + std::to_string(size) + " elements, outputs " +
                              std::to_string(masked.mask.outputs()) + " times inputs " +
                              std::to_string(masked.mask.inputs()));
    }

    std::vector<std::vector<Place>> buckets_;
  };

  std::vector<MaskedParameter> parameters_;
};

}  // namespace weir::inline v1
