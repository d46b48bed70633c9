#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <new>
#include <string>

#include "weir/core/error.hpp"
#include "weir/plan/profile_step.hpp"
#include "weir/stage/context.hpp"
#include "weir/tensor/element_type.hpp"

namespace weir::inline v1 {

/// A bound recipe as a step that `profile_step` can measure. Everything that it is given outlives it.
///
/// The recipe has no collective and, for the phases not to overlap, `WeightSync{WeightPolicy::sequential,
/// ..}`. `batch` holds samples for the most workers. The model is called as `model(micro, part)` and returns
/// after `part`; one that takes a `Micro` only is run whole, and a third of it counts as its forward pass. A
/// model with `resize(workers)` is told their number before the pool is. Weights change as in training.
template <class Workers, class Sync, class Batch, class Model>
class RecipeStep {
 public:
  RecipeStep(Workers& workers, Sync& sync, Batch batch, Model& model)
      : workers_(workers), sync_(sync), batch_(batch), model_{.plan = workers.plan(), .model = model} {}

  /// Errors: `ContractViolation` where the batch does not hold enough samples; as `sync.resize`.
  void resize(std::size_t workers) {
    std::size_t const samples = workers * workers_.local_batch();
    if (batch_.size() < samples) {
      throw ContractViolation("RecipeStep: a batch of " + std::to_string(batch_.size()) + " samples for " +
                              std::to_string(workers) + " workers; " + std::to_string(samples) +
                              " would be right");
    }
    if constexpr (requires { model_.model.resize(workers); }) model_.model.resize(workers);
    sync_.resize(WorkLayout{workers, 1, workers_.local_batch()});
  }

  /// Errors: what the step throws; the std::bad_alloc of a model as it is.
  void run(StepPart part) {
    model_.part = part;
    try {
      sync_(workers_(first(workers_.workers() * workers_.local_batch()), model_));
      sync_.wait();
    } catch (WorkerError const& error) {
      sync_.restored();  // the weights need not be those of any step
      rethrow_bad_alloc(error.cause());
      throw;
    }
  }

  /// Whether the model can be run in parts; known when a step has been run.
  bool knows_parts() const { return !model_.is_whole.load(std::memory_order_relaxed); }

  void copy_weights() {
    sync_.restored();
    workers_.executor().synchronize();
  }

 private:
  struct PartOfModel {
    BucketPlan const& plan;
    Model& model;
    StepPart part = StepPart::backward;
    std::atomic<bool> is_whole = false;

    template <class Micro>
    void operator()(Micro& micro) {
      // A gradient that nobody asks for is set to zero, which a whole step would not do.
      if (part != StepPart::backward) {
        for (std::size_t parameter = 0; parameter < plan.parameters(); ++parameter) {
          visit_element(plan.parameter(parameter).type, [&]<class Element>(Element*) {
            static_cast<void>(micro.template gradient<Element>(parameter));
          });
        }
      }
      if constexpr (requires { model(micro, part); }) {
        if (part != StepPart::update) model(micro, part);
      } else {
        is_whole.store(true, std::memory_order_relaxed);
        if (part == StepPart::backward) model(micro);
      }
    }
  };

  static void rethrow_bad_alloc(std::exception_ptr const& cause) {
    try {
      std::rethrow_exception(cause);
    } catch (std::bad_alloc const&) {
      throw;
    } catch (...) {
    }
  }

  auto first(std::size_t samples) const {
    if constexpr (requires { batch_.subspan(std::size_t{}, samples); }) {
      return batch_.subspan(0, samples);
    } else {
      return batch_.part(0, samples);
    }
  }

  Workers& workers_;
  Sync& sync_;
  Batch batch_;
  PartOfModel model_;
};

}  // namespace weir::inline v1
