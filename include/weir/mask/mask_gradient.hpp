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
template <Design D = AnyDesign>
struct MaskedParameter {
  /// In place of a parameter: the only one that has as many elements as the mask has positions.
  static constexpr std::size_t by_size = static_cast<std::size_t>(-1);

  std::size_t parameter;
  BIBDMask<D> mask;
};

template <Design D>
MaskedParameter(std::size_t, BIBDMask<D>) -> MaskedParameter<D>;

/// Sets the gradient of dead weights to zero, for trainers that keep dense weights: what is zero stays zero,
/// in the momentum too. Of designs of several types, one stage each follows the other.
///
/// `MaskGradient{mask}` masks the only parameter that has as many elements as the mask has positions.
/// Cost: one pass over the masked parameters; no mask array is made. Errors: `ContractViolation`, when bound,
/// for a parameter that is not registered or has another number of elements than its mask has positions, and
/// where none or several have as many.
template <Design D = AnyDesign>
class MaskGradient {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "mask";

  explicit MaskGradient(BIBDMask<D> mask) {
    parameters_.push_back({MaskedParameter<D>::by_size, std::move(mask)});
  }
  explicit MaskGradient(std::vector<MaskedParameter<D>> parameters) : parameters_(std::move(parameters)) {}

  template <Executor E, class Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, parameters_);
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, std::vector<MaskedParameter<D>> const& parameters) {
      buckets_.resize(context.plan.size());
      for (MaskedParameter<D> const& masked : parameters) {
        auto const [bucket, offset] = context.plan.place(found(context.plan, masked));
        buckets_[bucket].push_back({offset, BoundMask<E, D>(context.executor, masked.mask)});
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
      BoundMask<E, D> mask;
    };

    static std::size_t found(BucketPlan const& plan, MaskedParameter<D> const& masked) {
      std::size_t const size = masked.mask.outputs() * masked.mask.inputs();
      if (masked.parameter == MaskedParameter<D>::by_size) return of_size(plan, size);
      if (masked.parameter < plan.parameters() && plan.parameter(masked.parameter).elements == size)
        return masked.parameter;
      throw ContractViolation("MaskGradient: parameter " + std::to_string(masked.parameter) +
                              " must be registered with " + std::to_string(size) + " elements, outputs " +
                              std::to_string(masked.mask.outputs()) + " times inputs " +
                              std::to_string(masked.mask.inputs()));
    }

    static std::size_t of_size(BucketPlan const& plan, std::size_t size) {
      std::size_t count = 0;
      std::size_t last = 0;
      for (std::size_t parameter = 0; parameter < plan.parameters(); ++parameter) {
        if (plan.parameter(parameter).elements != size) continue;
        last = parameter;
        ++count;
      }
      if (count == 1) return last;
      throw ContractViolation("MaskGradient: " + std::to_string(count) + " parameters have " +
                              std::to_string(size) + " elements, as many as the mask has positions; one " +
                              "would be right, or a list that says which is masked");
    }

    std::vector<std::vector<Place>> buckets_;
  };

  std::vector<MaskedParameter<D>> parameters_;
};

template <Design D>
MaskGradient(BIBDMask<D>) -> MaskGradient<D>;
template <Design D>
MaskGradient(std::vector<MaskedParameter<D>>) -> MaskGradient<D>;
MaskGradient(std::vector<MaskedParameter<AnyDesign>>)->MaskGradient<AnyDesign>;

}  // namespace weir::inline v1
