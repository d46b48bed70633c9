#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/exec/multi_tensor_backend.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Keeps 16-bit copies of 32-bit master weights: after an update the bucket is rounded into them.
///
/// The recipe is bound to the master weights; the models read the copies. `Copies` is one view or a list of
/// views in registration order. Cost: one pass per bucket and no memory; nothing where the backend writes the
/// copies during the update, but for a list of pointers.
template <class Copies>
class WeightCopy {
 public:
  using consumes = Applied;
  using produces = Applied;
  static constexpr char const* name = "copy weights";
  static constexpr bool takes_pending_update = true;

  explicit WeightCopy(Copies copies) : copies_(std::move(copies)) {}

  template <Executor E, class Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, copies_);
  }

 private:
  template <class Views>
  struct ElementOf {
    using type = typename Views::element_type;
  };
  template <class View>
  struct ElementOf<std::vector<View>> {
    using type = typename View::element_type;
  };
  using Element = typename ElementOf<Copies>::type;

  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, Copies const& copies)
        : plan_(&context.plan),
          weights_(&context.weights),
          copies_(copies, context.plan),
          pointers_(context.executor, copies_) {
      copies_.check_memory(context.executor, "the copies of the weights");
      refresh(context.executor);
    }

    AppliedGradient<E> operator()(AppliedGradient<E> applied) {
      if (!applied.materialise(pointers_.copies())) copy_bucket(applied.executor, applied.bucket);
      return applied;
    }

    void refresh(E const& executor) {
      for (std::size_t bucket = 0; bucket < plan_->size(); ++bucket) copy_bucket(executor, bucket);
    }

   private:
    /// Where the copies lie, for an update that writes them.
    struct Pointers {
      Pointers(E const& executor, Weights<E, Element> const& copies) : buffer(executor, copies.parameters()) {
        for (std::size_t parameter = 0; parameter < copies.parameters(); ++parameter)
          on_host.push_back(copies[parameter].data());
        copy_from_host(executor, on_host.data(), buffer.data(), on_host.size() * sizeof(void*));
      }
      WeightCopies copies() const { return {buffer.data(), element_type_of<Element>}; }

      std::vector<void*> on_host;  // read by the copy to the executor's memory, whenever it runs
      Buffer<void*, E> buffer;
    };
    struct NoPointers {
      NoPointers(E const&, Weights<E, Element> const&) {}
      static WeightCopies copies() { return {}; }
    };
    static constexpr bool is_fused = MultiTensorBackend<E, Real> && std::is_same_v<Real, float> &&
                                     (std::is_same_v<Element, half> || std::is_same_v<Element, bfloat16>);

    void copy_bucket(E const& executor, std::size_t bucket) {
      for (std::size_t parameter : (*plan_)[bucket].parameters)
        copy(executor, ViewOn<Real const, E>((*weights_)[parameter]), copies_[parameter]);
    }

    BucketPlan const* plan_;
    Weights<E, Real> const* weights_;
    Weights<E, Element> copies_;
    [[no_unique_address]] std::conditional_t<is_fused, Pointers, NoPointers> pointers_;
  };

  Copies copies_;
};

}  // namespace weir::inline v1
