#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/random.hpp"
#include "weir/exec/loss_factor.hpp"
#include "weir/exec/step_random.hpp"
#include "weir/stage/gradient_sink.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir::inline v1 {

/// Thrown by `Micro::ready` to unwind a model when the step has failed elsewhere. Let it pass.
struct StepCancelled {};

namespace detail {
/// What a worker writes during a micro-batch besides its gradients.
struct WorkerNotes {
  std::vector<std::uint8_t> used;      // by parameter: its gradient was asked for in this step
  std::vector<std::uint8_t> touched;   // the same, in this micro-batch
  std::vector<std::uint8_t> passed;    // by parameter: the halves of `ready` reported in this micro-batch
  std::vector<std::uint8_t> reported;  // by bucket
  std::vector<std::size_t> missing;    // by bucket: parameters not yet reported as ready
  double loss = 0.0;                   // sum over samples
  std::size_t samples = 0;
};
}  // namespace detail

/// What a model gets for one micro-batch: its stream, its samples, the weights, where its gradients go, and
/// the place to report them. Valid inside the call only. A host model computes in the call; a device model
/// enqueues on `executor()`.
///
/// Gradients. The model writes the gradient of its mean loss times `loss_scale()`, over what is there or, if
/// `accumulate()`, added to it. A gradient that was not asked for counts as zero.
///
/// Errors: `ContractViolation` for a parameter or bucket that the plan does not have.
template <Executor E, class Samples, class Real = float>
class Micro {
 public:
  using executor_type = E;

  E const& executor() const { return executor_; }
  /// The micro-batch's piece of the batch; never empty.
  Samples const& samples() const { return samples_; }

  std::size_t worker() const { return worker_; }
  /// 0..m-1, among the worker's micro-batches of this step.
  std::size_t index() const { return index_; }
  /// u, among those of all workers and ranks.
  std::size_t global_index() const {
    return step_.first_micro_batch + worker_ * step_.micro_batches + index_;
  }
  /// The number of this call's step; a captured step is told by `random` which one it is.
  std::uint64_t step() const { return step_.number; }

  /// The weights to read; the same memory for all workers unless they are replicated.
  ViewOn<Real const, E> weights(std::size_t parameter) const {
    check(parameter, plan_.parameters(), "parameter");
    return sink_.weights(worker_, parameter);
  }

  /// Where the gradient of a parameter goes. Errors: `ContractViolation` if it is of another element type.
  template <class Element = Real>
  ViewOn<Element, E> gradient(std::size_t parameter) {
    touch(parameter);
    auto const [bucket, offset] = plan_.place(parameter);
    return bucket_view(bucket).part(offset, plan_.parameter(parameter).elements).template as<Element>();
  }

  /// Where the gradients of a whole bucket go.
  template <class Element = Real>
  ViewOn<Element, E> bucket_gradient(std::size_t bucket) {
    check(bucket, plan_.size(), "bucket");
    for (std::size_t parameter : plan_[bucket].parameters) touch(parameter);
    return bucket_view(bucket).template as<Element>();
  }

  /// False: overwrite the gradient; true: add to it. 16-bit gradients are always overwritten, their sum is
  /// kept elsewhere in 32 bits.
  bool accumulate(std::size_t parameter = 0) const {
    return index_ != 0 && size_of(plan_.parameter(parameter).type) > 2;
  }

  /// The factor for the gradient of the mean loss: the samples over those of a full micro-batch, times that
  /// of a loss-scaling stage. On a host a number; on a device a `LossFactor`, which kernels evaluate.
  auto loss_scale() const {
    LossFactor const factor{static_cast<double>(samples_.size()) / static_cast<double>(step_.local_batch),
                            sink_.loss_scale()};
    if constexpr (HostOrderedExecutor<E>) {
      return static_cast<Real>(factor.value());
    } else {
      return factor;
    }
  }

  /// Random numbers for the operation `site` of the model, the same whichever worker or rank runs this
  /// micro-batch. On a host a `RandomStream`; on a device a `StepRandom`, which kernels make one of.
  auto random(std::uint32_t site) const {
    auto const micro_batch = static_cast<std::uint32_t>(global_index());
    if constexpr (HostOrderedExecutor<E>) {
      return RandomStream{seed_, static_cast<std::uint32_t>(step_.number), micro_batch, site};
    } else {
      return StepRandom{seed_, sink_.clock(), micro_batch, site};
    }
  }

  /// Reports the mean loss of this micro-batch, for `take_loss` of the source. A device model, which does not
  /// know it yet, keeps its loss in memory of its own.
  void loss(double mean) {
    notes_.loss += mean * static_cast<double>(samples_.size());
    notes_.samples += samples_.size();
  }

  /// Reports a bucket: its gradients are final for this micro-batch, and the last operation that reads its
  /// weights has been enqueued. In any order, also from a thread that the model uses; what is not reported is
  /// reported when the model returns. Errors: `ContractViolation` if reported twice.
  void ready(std::size_t bucket) {
    check(bucket, plan_.size(), "bucket");
    if (sink_.has_failed()) throw StepCancelled{};
    report(bucket);
  }

  /// The same for a parameter; its bucket is reported with the last one.
  void ready_parameter(std::size_t parameter) { pass(parameter, is_final | is_read); }

  /// One half of `ready_parameter`: the gradient is final, but the weights will be read once more, say by the
  /// gradient of the layer's input. The other half is `weights_read`, in either order.
  void gradient_final(std::size_t parameter) { pass(parameter, is_final); }

  /// The other half: the last operation that reads the weights has been enqueued. Of tied weights, the last
  /// of all their uses.
  void weights_read(std::size_t parameter) { pass(parameter, is_read); }

  // For the source that makes it.

  Micro(E const& executor, Samples samples, GradientSink<E, Real>& sink, BucketPlan const& plan,
        std::byte* gradients, detail::WorkerNotes& notes, std::size_t worker, std::size_t index,
        StepInfo const& step, std::uint64_t seed)
      : executor_(executor),
        samples_(samples),
        sink_(sink),
        plan_(plan),
        gradients_(gradients),
        notes_(notes),
        worker_(worker),
        index_(index),
        step_(step),
        seed_(seed) {
    if (index == 0) notes_.used.assign(plan.parameters(), 0);
    notes_.touched.assign(plan.parameters(), 0);
    notes_.passed.assign(plan.parameters(), 0);
    notes_.reported.assign(plan.size(), 0);
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
      notes_.missing[bucket] = plan[bucket].parameters.size();
    }
  }

  void report_rest() {
    for (std::size_t bucket = 0; bucket < plan_.size(); ++bucket) {
      if (notes_.reported[bucket] == 0) report(bucket);
    }
  }

 private:
  using Space = typename E::memory_space;

  static constexpr std::uint8_t is_final = 1;
  static constexpr std::uint8_t is_read = 2;

  /// Or a model of other layers would go on in memory that is not its own.
  static void check(std::size_t index, std::size_t count, char const* what) {
    if (index < count) return;
    throw ContractViolation("there is no " + std::string(what) + " " + std::to_string(index) +
                            ": the bucket plan has " + std::to_string(count));
  }

  void pass(std::size_t parameter, std::uint8_t halves) {
    check(parameter, plan_.parameters(), "parameter");
    std::uint8_t& passed = notes_.passed[parameter];
    if ((passed & halves) != 0) {
      throw ContractViolation("parameter " + std::to_string(parameter) +
                              " was reported twice in one micro-batch");
    }
    passed = static_cast<std::uint8_t>(passed | halves);
    if (passed != (is_final | is_read)) return;
    std::size_t const bucket = plan_.place(parameter).bucket;
    if (--notes_.missing[bucket] == 0) ready(bucket);
  }

  void touch(std::size_t parameter) {
    check(parameter, plan_.parameters(), "parameter");
    notes_.touched[parameter] = 1;
    notes_.used[parameter] = 1;
  }

  GradientView<Space> bucket_view(std::size_t bucket) const {
    return {gradients_ + plan_[bucket].offset, plan_[bucket].size, plan_[bucket].type};
  }

  void report(std::size_t bucket) {
    if (notes_.reported[bucket] != 0) {
      throw ContractViolation("bucket " + std::to_string(bucket) + " was reported twice in one micro-batch");
    }
    notes_.reported[bucket] = 1;
    try {
      clear_untouched(bucket);
    } catch (...) {
      sink_.failed(worker_, std::current_exception());
    }
    sink_.ready({.executor = executor_,
                 .values = bucket_view(bucket),
                 .bucket = bucket,
                 .worker = worker_,
                 .micro_batch = index_,
                 .samples = samples_.size(),
                 .step = step_});
  }

  /// Or what an earlier micro-batch left there would be added.
  void clear_untouched(std::size_t bucket) {
    for (std::size_t parameter : plan_[bucket].parameters) {
      if (notes_.touched[parameter] != 0 || accumulate(parameter)) continue;
      auto const gradient =
          bucket_view(bucket).part(plan_.place(parameter).offset, plan_.parameter(parameter).elements);
      visit_element(gradient.type, [&]<class Element>(Element*) {
        if constexpr (requires(ViewOn<Element, E> out) { set_zero(executor_, out); }) {
          set_zero(executor_, gradient.template as<Element>());
        }
      });
    }
  }

  E const& executor_;
  Samples samples_;
  GradientSink<E, Real>& sink_;
  BucketPlan const& plan_;
  std::byte* gradients_;
  detail::WorkerNotes& notes_;
  std::size_t worker_;
  std::size_t index_;
  StepInfo step_;
  std::uint64_t seed_;
};

}  // namespace weir::inline v1
