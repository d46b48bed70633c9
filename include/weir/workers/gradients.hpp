#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/stage/gradient_sink.hpp"
#include "weir/stage/weights.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

namespace detail {
/// The weights that such gradients are of, if nobody says otherwise.
template <class Element>
using WeightsOf = std::conditional_t<sizeof(Element) == 2, float, Element>;
template <class Views>
using ViewedElement = std::remove_const_t<typename WeightElement<Views>::type>;
}  // namespace detail

/// Gradients that others have computed, as the source of a recipe: for trainers whose backward pass is not
/// ours to run. Worker w's gradient is that of the mean loss over its samples; the memory of a worker without
/// samples is not read, whatever it holds.
///
/// `Real` is the type of the weights and of sums, `Element` that of the gradients: the same or, for float, 16
/// bits, which the recipe sums in 32. Both follow from the views. Shapes: per worker one flat view in
/// registration order, or one view per parameter. Where the parameters of a bucket lie in one row the sum of
/// gradients of type `Real` is taken in worker 0's own memory, which it overwrites; others are gathered
/// first. Streams: a step starts after the work already enqueued on the caller's executor, and after the
/// events given. Cost: no memory where buckets lie in one row, else k buckets.
template <Executor E, class Real = float, class Element = Real>
class Gradients {
  static_assert(std::is_same_v<Element, Real> || (std::is_same_v<Real, float> && sizeof(Element) == 2),
                "borrowed gradients are of the weights' type or, for weights of float, of 16 bits");

 public:
  using executor_type = E;
  using real_type = Real;
  using produces = PerWorker;
  static constexpr bool runs_micro_batches = false;
  using Event = typename E::event_type;

  /// Errors: `ContractViolation` if sizes or the type do not fit the plan.
  template <class Views>
  Gradients(E const& executor, BucketPlan plan, std::vector<Views> const& workers)
      : home_(executor), plan_(std::move(plan)), start_(home_.make_event()) {
    if (workers.empty()) throw ContractViolation("Gradients: 0 workers, at least 1 is needed");
    for (std::size_t bucket = 0; bucket < plan_.size(); ++bucket) {
      if (plan_[bucket].type != element_type_of<Element>) {
        throw ContractViolation(std::string("Gradients: bucket ") + std::to_string(bucket) + " is of " +
                                name_of(plan_[bucket].type) + ", the views of " +
                                name_of(element_type_of<Element>) + "; a plan of that would be right");
      }
    }
    for (Views const& views : workers) {
      Weights<E, Element> const gradients(views, plan_);
      gradients.check_memory(home_, "the gradients");
      slots_.push_back(make_slot(gradients));
    }
  }

  Gradients(Gradients const&) = delete;
  Gradients& operator=(Gradients const&) = delete;

  E const& executor() const { return home_; }
  std::size_t workers() const { return slots_.size(); }
  std::size_t local_batch() const { return 1; }
  BucketPlan const& plan() const { return plan_; }
  std::uint8_t* used(std::size_t worker) { return slots_[worker].used.data(); }

  /// The memory that a source takes from its executor. Units: bytes.
  template <class Views>
  static std::size_t workspace_bytes(BucketPlan const& plan, std::vector<Views> const& workers) {
    std::size_t bytes = 0;
    for (Views const& views : workers) {
      Weights<E, Element> const of_worker(views, plan);
      for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
        if (of_worker.segments(plan, bucket).size() != 1) bytes += plan[bucket].size * sizeof(Element);
      }
    }
    return bytes;
  }

  /// Errors: `ContractViolation`: the views were given at construction.
  void resize(WorkLayout const&) {
    throw ContractViolation("Gradients: borrowed gradients cannot be resized, make a new source");
  }

  /// One step, not yet started: give it to a bound recipe.
  struct Launch {
    Gradients& source;
    std::size_t samples_of_all_ranks;

    std::size_t samples() const { return samples_of_all_ranks; }
    void start(GradientSink<E, Real>& sink, StepInfo const& step) const { source.start(sink, step); }
  };

  /// Describes a step. `samples[w]` is what worker w's gradient is the mean of; `ready[w]`, if given, the
  /// event after which it may be read. `samples_of_all_ranks` 0: unknown, the ranks exchange one integer.
  /// Streams: give it to the recipe before the next one is described; the memory of the gradients may be
  /// filled again when the step has passed.
  [[nodiscard]] Launch operator()(std::span<std::size_t const> samples,
                                  std::span<Event const* const> ready = {},
                                  std::size_t samples_of_all_ranks = 0) {
    if (samples.size() != slots_.size() || (!ready.empty() && ready.size() != slots_.size())) {
      throw ContractViolation("Gradients: samples of " + std::to_string(samples.size()) + " workers and " +
                              std::to_string(ready.size()) + " events for gradients of " +
                              std::to_string(slots_.size()));
    }
    for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
      slots_[worker].samples = samples[worker];
      slots_[worker].ready = ready.empty() ? nullptr : ready[worker];
    }
    return {*this, samples_of_all_ranks};
  }

 private:
  struct Bucket {
    ViewOn<Element, E> values;
    std::vector<WeightSegment<E, Element>> gathered;  // none if `values` is the caller's memory
  };

  struct Slot {
    std::vector<Bucket> buckets;
    std::vector<Buffer<Element, E>> memory;
    std::vector<std::uint8_t> used;
    std::size_t samples = 0;
    Event const* ready = nullptr;
    E executor;  // the last member: a host stream is joined before the memory goes
  };

  Slot make_slot(Weights<E, Element> const& views) const {
    Slot slot{.buckets = {},
              .memory = {},
              .used = std::vector<std::uint8_t>(plan_.parameters(), 1),
              .executor = home_.fork()};
    for (std::size_t bucket = 0; bucket < plan_.size(); ++bucket) {
      auto segments = views.segments(plan_, bucket);
      if (segments.size() == 1) {
        slot.buckets.push_back({segments[0].values, {}});
      } else {
        slot.memory.emplace_back(home_, plan_[bucket].size);
        slot.buckets.push_back({slot.memory.back().view(), std::move(segments)});
      }
    }
    return slot;
  }

  void start(GradientSink<E, Real>& sink, StepInfo const& step) {
    home_.record(start_);
    for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
      E const& executor = slots_[worker].executor;
      std::size_t const samples = slots_[worker].samples;
      try {
        executor.wait(start_);
        if (slots_[worker].ready != nullptr) executor.wait(*slots_[worker].ready);
        executor.submit([this, &sink, step, worker, samples](E const& point) {
          report(sink, step, worker, samples, point);
        });
      } catch (...) {  // this worker has to report all the same, or the step would never end
        sink.failed(worker, std::current_exception());
        report(sink, step, worker, samples, executor);
      }
    }
  }

  void report(GradientSink<E, Real>& sink, StepInfo const& step, std::size_t worker, std::size_t samples,
              E const& point) {
    Slot const& slot = slots_[worker];
    for (std::size_t bucket = 0; bucket < plan_.size(); ++bucket) {
      auto const& [values, gathered] = slot.buckets[bucket];
      try {
        for (auto const& piece : gathered) {
          if (samples == 0) break;
          copy(point, ViewOn<Element const, E>(piece.values), values.part(piece.offset, piece.values.size()));
        }
      } catch (...) {
        sink.failed(worker, std::current_exception());
      }
      sink.ready({.executor = point,
                  .values = values,
                  .bucket = bucket,
                  .worker = worker,
                  .micro_batch = 0,
                  .samples = samples,
                  .is_mean = true,
                  .step = step});
    }
    sink.finished(point, worker, step);
  }

  E home_;
  BucketPlan plan_;
  Event start_;
  std::vector<Slot> slots_;
};

template <Executor E, class Views>
Gradients(E const&, BucketPlan, std::vector<Views> const&)
    -> Gradients<E, detail::WeightsOf<detail::ViewedElement<Views>>, detail::ViewedElement<Views>>;

}  // namespace weir::inline v1
