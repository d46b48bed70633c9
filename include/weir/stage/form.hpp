#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "weir/exec/sparsify_statistics.hpp"
#include "weir/exec/two_sided_view.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/exec/weight_copies.hpp"
#include "weir/stage/gradient_view.hpp"
#include "weir/stage/step_info.hpp"

namespace weir::inline v1 {

/// Form: one gradient per worker. A stage that takes and gives it runs on the worker's own stream, in the
/// middle of its backward pass, once per micro-batch, with a `WorkerGradient`. The first stage that takes it
/// and gives another form runs once per bucket and step, after the last worker, with all of them
/// (`PerWorkerGradient`).
struct PerWorker {};

/// Form: one gradient of the whole device.
struct Dense {};

/// Form: the elements of a gradient that were selected, with their indices.
struct Sparse {};

/// Form: the weights have been updated.
struct Applied {};

/// For a stage that takes more than one form: `using consumes = OneOf<Dense, Sparse>`.
template <class... Forms>
struct OneOf {};

/// One worker's bucket: the sum over its micro-batches so far of (samples / local batch) * mean gradient,
/// times the loss scale.
template <Executor E>
struct WorkerGradient {
  E executor;
  GradientView<typename E::memory_space> values;
  std::size_t bucket = 0;
  std::size_t worker = 0;
  std::size_t micro_batch = 0;  // 0..m-1
  std::size_t samples = 0;      // that `values` stands for
  double weight = 1.0;          // still to be applied
  bool is_mean = false;  // of the mean loss over `samples`, which others have computed: not weighted yet
  StepInfo step = {};
};

/// What one worker gives to the sum of its bucket.
template <Executor E>
struct WorkerShare {
  GradientView<typename E::memory_space> values;
  std::size_t samples = 0;
  double weight = 1.0;
  bool is_mean = false;
};

/// The bucket of all workers, in the order of their index. The work on `executor` comes after all of them.
template <Executor E, class Real = float>
struct PerWorkerGradient {
  E executor;
  std::span<WorkerShare<E> const> shares;
  std::size_t bucket = 0;
  std::size_t samples = 0;  // of all of them
  StepInfo step = {};
};

/// A weighted sum of the workers' buckets that has not been taken yet.
template <Executor E>
struct PendingSum {
  void const* terms = nullptr;  // WeightedTerm<Element, Space>, `count` of them, for the element type `type`
  std::size_t count = 0;
  ElementType type = ElementType::float32;
};

/// One bucket of the device, ordered by `executor`: `values` times `scale` is the gradient.
///
/// `values` may still be pending, so that the next stage can take the sum and do its own work in one pass;
/// who reads `values` calls `materialise` first.
template <Executor E, class Real = float>
struct DenseGradient {
  E executor;
  ViewOn<Real, E> values;
  std::size_t bucket = 0;
  std::size_t samples = 0;  // that were summed so far
  StepInfo step = {};
  GradientScale scale = {};
  std::uint32_t const* used =
      nullptr;  // by parameter, in the executor's memory: those of value 0 are not updated
  PendingSum<E> pending = {};

  /// Takes the pending sum, if there is one. Returns true if the epilogue was done on the way.
  bool materialise(SumEpilogue epilogue = {}) {
    if (pending.count == 0) return false;
    PendingSum<E> const sum = pending;
    pending = {};
    return visit_element(sum.type, [&]<class Element>(Element*) {
      using Term = WeightedTerm<Element, typename E::memory_space>;
      if constexpr (requires { sum_weighted(executor, std::span<Term const>{}, values, epilogue); }) {
        std::span<Term const> const terms(static_cast<Term const*>(sum.terms), sum.count);
        bool const is_there = sum.count == 1 && terms[0].weight == 1.0 &&
                              static_cast<void const*>(terms[0].values.data()) == values.data();
        if (is_there && epilogue.is_empty()) return false;
        sum_weighted(executor, terms, values, epilogue);
        return !epilogue.is_empty();
      } else {
        throw ContractViolation(std::string("this backend cannot sum ") + name_of(sum.type) +
                                " into these weights' type");
        return false;
      }
    });
  }
};

/// The elements of one bucket of the device that were selected, ordered by `executor`: `values[j]` times
/// `scale` belongs to slot `indices[j]`, for j below `*count`. Indices ascend and count from the bucket's
/// first element. How many there are is known where the executor's kernels run.
template <Executor E, class Real = float>
struct SparseGradient {
  E executor;
  ViewOn<std::uint32_t, E> indices;  // as long as the capacity, and so are `values`
  ViewOn<Real, E> values;
  std::uint64_t* count = nullptr;                 // of those that are there, then of those that were wanted
  SparsifyStatus const* status = nullptr;         // how the selection ended, in the same memory
  ViewOn<std::uint64_t, E> block = {};            // all three in one piece, as `PairBlocks` has it
  ElementType precision = element_type_of<Real>;  // a type in which every value is exact
  bool shares_indices = false;                    // all ranks have selected the same slots
  bool is_whole = false;       // nothing was selected: all of `dense` is sent, on all ranks
  std::size_t expected = 0;    // how many are to be selected of a bucket like this
  ViewOn<Real, E> dense = {};  // as large as the bucket, for the sum; without a residual all of it is here
  TwoSidedView<Real, typename E::memory_space> residual = {};  // what was not sent; empty without feedback
  std::size_t bucket = 0;
  std::size_t samples = 0;  // that were summed so far
  StepInfo step = {};
  GradientScale scale = {};
};

/// An update of one bucket that has not been enqueued yet.
struct PendingUpdate {
  void* optimizer = nullptr;
  bool (*enqueue)(void* optimizer, WeightCopies const& copies) = nullptr;  // null: nothing is pending
};

/// The update of one bucket has been enqueued on `executor`, or is pending.
///
/// Pending is only what a stage gives to one that `takes_pending_update`, so that both work in one pass.
template <Executor E>
struct AppliedGradient {
  E executor;
  std::size_t bucket = 0;
  StepInfo step = {};
  PendingUpdate pending = {};

  /// Enqueues the update, if it is pending. Returns true if it writes the copies on the way.
  bool materialise(WeightCopies const& copies = {}) {
    PendingUpdate const update = std::exchange(pending, {});
    return update.enqueue != nullptr && update.enqueue(update.optimizer, copies);
  }
};

}  // namespace weir::inline v1
