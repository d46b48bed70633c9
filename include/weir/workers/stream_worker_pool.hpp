#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/span_scope.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/stage/gradient_sink.hpp"
#include "weir/stage/loss_sum.hpp"
#include "weir/tensor/buffer.hpp"
#include "weir/workers/local_batch.hpp"
#include "weir/workers/micro.hpp"

namespace weir::inline v1 {

struct WorkerOptions {
  std::size_t workers = 1;
  BucketPlan buckets = {};
  std::size_t local_batch = 1;  // samples of a full micro-batch, the same on all ranks
  std::uint64_t seed = 0;       // of `Micro::random`
};

/// k virtual workers on one device: k streams, k gradients, one copy of the weights.
///
/// `Real` is the type of the weights and of sums; gradients are of that type or, for float, of 16 bits.
/// Streams: a step starts after the work already enqueued on the caller's executor. The model runs on the
/// workers' streams. Cost: k times the gradients; no thread is created after construction.
/// Source: [iidp]; here there is no limit to k, one copy of the weights, and no barrier.
template <Executor E, class Real = float>
class StreamWorkerPool {
 public:
  using executor_type = E;
  using real_type = Real;
  using produces = PerWorker;
  static constexpr bool runs_micro_batches = true;

  /// Errors: `ContractViolation` that names the option; `OutOfMemory`.
  StreamWorkerPool(E const& executor, WorkerOptions options)
      : home_(executor), options_(std::move(options)), start_(home_.make_event()) {
    check(options_.workers, options_.local_batch);
    if (options_.buckets.size() == 0)
      throw ContractViolation("StreamWorkerPool: the bucket plan has no bucket");
    for (std::size_t bucket = 0; bucket < options_.buckets.size(); ++bucket)
      check_type(options_.buckets[bucket].type);
    while (slots_.size() < options_.workers) slots_.push_back(make_slot());
  }

  StreamWorkerPool(StreamWorkerPool const&) = delete;
  StreamWorkerPool& operator=(StreamWorkerPool const&) = delete;

  E const& executor() const { return home_; }
  std::size_t workers() const { return slots_.size(); }
  std::size_t local_batch() const { return options_.local_batch; }
  std::uint64_t seed() const { return options_.seed; }
  BucketPlan const& plan() const { return options_.buckets; }
  std::uint8_t* used(std::size_t worker) { return slots_[worker].notes.used.data(); }

  /// The memory that a pool takes from its executor. Units: bytes.
  static std::size_t workspace_bytes(WorkerOptions const& options) {
    return options.workers * options.buckets.gradient_bytes();
  }

  /// What the models have reported since the last call. Streams: call it when the steps have passed.
  LossSum take_loss() {
    LossSum total;
    for (Slot& slot : slots_) {
      total.sum += std::exchange(slot.notes.loss, 0.0);
      total.samples += std::exchange(slot.notes.samples, 0);
    }
    return total;
  }

  /// Runs parts of a computation that need nothing of each other, as the groups of a layer: `branch(stream,
  /// i)` is called for each i below `count`, on the calling thread, with the stream of worker i modulo k. It
  /// only enqueues. Streams: what branches enqueue comes after what `executor()` was given before, and before
  /// what it is given afterwards. Errors: rethrows what `branch` throws; the branches before that one are
  /// joined.
  template <class Branch>
  void run_branches(std::size_t count, Branch&& branch) {
    std::size_t const streams = count < slots_.size() ? count : slots_.size();
    home_.record(start_);
    for (std::size_t i = 0; i < streams; ++i) slots_[i].executor.wait(start_);
    try {
      for (std::size_t i = 0; i < count; ++i) branch(slots_[i % slots_.size()].executor, i);
    } catch (...) {
      join(streams);
      throw;
    }
    join(streams);
  }

  /// Called by the bound recipe, between steps. Errors: as the constructor, with nothing changed.
  void resize(WorkLayout const& layout) {
    check(layout.workers, layout.local_batch);
    std::vector<Slot> added;
    while (slots_.size() + added.size() < layout.workers) added.push_back(make_slot());
    slots_.reserve(layout.workers);
    for (Slot& slot : added) slots_.push_back(std::move(slot));
    while (slots_.size() > layout.workers) slots_.pop_back();
    options_.local_batch = layout.local_batch;
  }

  /// One step, not yet started: give it to a bound recipe.
  template <class Batch, class Model>
  struct Launch {
    StreamWorkerPool& pool;
    Batch batch;
    Model& model;

    /// Of all ranks; 0 if that is not known.
    std::size_t samples() const { return samples_of(batch); }
    void start(GradientSink<E, Real>& sink, StepInfo const& step) const { pool.start(*this, sink, step); }
  };

  /// Describes a step on `batch`: a view (`size()`, and `subspan(offset, count)` or `part`) of the samples of
  /// all ranks, of which micro-batch u takes entries u * b to (u + 1) * b, cut at the end; or a `LocalBatch`.
  /// `model(Micro&)` is called for each micro-batch of this rank, on a host in the worker's stream, on a
  /// device by the caller of `sync`; it is called by k workers at the same time.
  template <class Batch, class Model>
  [[nodiscard]] auto operator()(Batch batch, Model& model) {
    static_assert(std::is_trivially_copyable_v<Batch> && sizeof(Batch) <= 32,
                  "a batch is a view that is copied to each worker: trivially copyable, of at most 32 bytes");
    return Launch<Batch, Model>{*this, batch, model};
  }

  /// Refuses a temporary model.
  template <class Batch, class Model>
  void operator()(Batch, Model const&&) {
    static_assert(sizeof(Model) == 0,
                  "this model is a temporary, which is gone before the workers call it: give it a name");
  }

 private:
  struct Slot {
    Buffer<std::byte, E> gradients;
    detail::WorkerNotes notes;
    typename E::event_type end;  // of its branches
    E executor;                  // the last member: a host stream is joined before the memory goes
  };

  static void check(std::size_t workers, std::size_t local_batch) {
    if (workers == 0) throw ContractViolation("StreamWorkerPool: 0 workers, at least 1 is needed");
    if (local_batch == 0)
      throw ContractViolation("StreamWorkerPool: a local batch of 0 samples, at least 1 is needed");
  }

  static void check_type(ElementType type) {
    bool const fits = type == element_type_of<Real> || (std::is_same_v<Real, float> && size_of(type) == 2);
    if (!fits) {
      throw ContractViolation(std::string("StreamWorkerPool: gradients of ") + name_of(type) +
                              " for weights of " + name_of(element_type_of<Real>));
    }
  }

  Slot make_slot() const {
    auto const& plan = options_.buckets;
    // One by one: g++ 12 destroys the members of an inner aggregate twice where a later one throws.
    detail::WorkerNotes notes{.used = std::vector<std::uint8_t>(plan.parameters()),
                              .touched = std::vector<std::uint8_t>(plan.parameters()),
                              .passed = std::vector<std::uint8_t>(plan.parameters()),
                              .reported = std::vector<std::uint8_t>(plan.size()),
                              .missing = std::vector<std::size_t>(plan.size())};
    Buffer<std::byte, E> gradients(home_, plan.gradient_bytes());
    E const executor = home_.fork();
    auto end = executor.make_event();
    return Slot{.gradients = std::move(gradients),
                .notes = std::move(notes),
                .end = std::move(end),
                .executor = executor};
  }

  /// What home is given from now on comes after what the streams of the first workers were given.
  void join(std::size_t streams) const {
    for (std::size_t i = 0; i < streams; ++i) {
      slots_[i].executor.record(slots_[i].end);
      home_.wait(slots_[i].end);
    }
  }

  template <class Batch>
  static std::size_t samples_of(Batch const& batch) {
    return batch.size();
  }
  template <class Batch>
  static std::size_t samples_of(LocalBatch<Batch> const& batch) {
    return batch.samples_of_all_ranks;
  }
  template <class Batch>
  static void check_local(Batch const&, std::size_t) {}
  template <class Batch>
  static void check_local(LocalBatch<Batch> const& batch, std::size_t room) {
    if (batch.samples.size() <= room) return;
    throw ContractViolation("a local batch of " + std::to_string(batch.samples.size()) +
                            " samples, but this rank takes " + std::to_string(room) + " per step");
  }

  /// `index` counts the micro-batches of this rank.
  template <class Batch>
  static auto piece(Batch const& batch, StepInfo const& step, std::size_t index) {
    return cut(batch, (step.first_micro_batch + index) * step.local_batch, step.local_batch);
  }
  template <class Batch>
  static auto piece(LocalBatch<Batch> const& batch, StepInfo const& step, std::size_t index) {
    return cut(batch.samples, index * step.local_batch, step.local_batch);
  }
  template <class Batch>
  static auto cut(Batch const& batch, std::size_t offset, std::size_t count) {
    std::size_t const begin = offset < batch.size() ? offset : batch.size();
    std::size_t const rest = batch.size() - begin;
    std::size_t const size = count < rest ? count : rest;
    if constexpr (requires { batch.subspan(begin, size); }) {
      return batch.subspan(begin, size);
    } else {
      return batch.part(begin, size);  // a TensorView
    }
  }

  template <class Batch, class Model>
  void start(Launch<Batch, Model> const& launch, GradientSink<E, Real>& sink, StepInfo const& step) {
    check_local(launch.batch, slots_.size() * step.micro_batches * step.local_batch);
    home_.record(start_);
    for (std::size_t index = 0; index < slots_.size(); ++index) {
      E const& executor = slots_[index].executor;
      try {
        // Not inside the function below: it runs later, when `start_` may have been recorded again.
        executor.wait(start_);
        executor.submit([launch, &sink, step, index](E const& point) {
          launch.pool.work(launch, sink, step, index, point);
        });
      } catch (...) {  // this worker has to report all the same, or the step would never end
        sink.failed(index, std::current_exception());
        work(launch, sink, step, index, executor);
      }
    }
  }

  template <class Batch, class Model>
  void work(Launch<Batch, Model> const& launch, GradientSink<E, Real>& sink, StepInfo const& step,
            std::size_t worker, E const& point) {
    for (std::size_t index = 0; index < step.micro_batches; ++index) {
      run_micro_batch(launch, sink, step, worker, index, point);
    }
    sink.finished(point, worker, step);
  }

  template <class Batch, class Model>
  void run_micro_batch(Launch<Batch, Model> const& launch, GradientSink<E, Real>& sink, StepInfo const& step,
                       std::size_t worker, std::size_t index, E const& point) {
    Slot& slot = slots_[worker];
    auto const samples = piece(launch.batch, step, worker * step.micro_batches + index);
    Micro<E, std::remove_const_t<decltype(samples)>, Real> micro(
        point, samples, sink, plan(), slot.gradients.data(), slot.notes, worker, index, step, options_.seed);
    run_model(launch.model, micro, sink, step, worker, index);
    micro.report_rest();
  }

  template <class Model, class AnyMicro>
  static void run_model(Model& model, AnyMicro& micro, GradientSink<E, Real>& sink, StepInfo const& step,
                        std::size_t worker, std::size_t index) {
    SpanScope const span(sink.spans(), {.name = "micro-batch",
                                        .rank = static_cast<std::int32_t>(sink.rank()),
                                        .lane = static_cast<std::int32_t>(worker),
                                        .micro_batch = static_cast<std::int32_t>(index),
                                        .step = step.number});
    try {
      if (sink.has_failed()) throw StepCancelled{};
      if (micro.samples().size() != 0) model(micro);
    } catch (StepCancelled const&) {
    } catch (...) {
      sink.failed(worker,
                  std::make_exception_ptr(WorkerError(sink.rank(), worker, index, std::current_exception())));
    }
  }

  E home_;
  WorkerOptions options_;
  typename E::event_type start_;
  std::vector<Slot> slots_;
};

}  // namespace weir::inline v1
