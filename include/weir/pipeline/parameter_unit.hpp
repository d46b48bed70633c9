#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/doorbell.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/stage/gradient_sink.hpp"
#include "weir/tensor/bucket_plan.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Parameters of a pipeline that are updated together: those of a stage, or one that several stages share. A
/// gradient source of its own, for one bound recipe; its workers are the stages, or copies of a stage, that
/// add to its gradient, wherever they are. Each process that has one of them has the unit, with a recipe and
/// weights of its own: all sum the same gradients in the same order, and make the same updates.
///
/// Weights have versions, numbered from 0, of which the one that was bound, loaded or settled last lies in
/// the first place and those after it in the next ones, in turn. The first place is the caller's memory, the
/// others are laid out like it, so that a version is an offset for all parameters; only where the caller's
/// views lie so far apart that a place for each version takes less, they have one each.
/// So many updates as the readers may be late can be under way, so there are as many gradients, and one that
/// is being filled.
template <Executor E, class Real = float>
class ParameterUnit {
 public:
  using executor_type = E;
  using real_type = Real;
  using produces = PerWorker;
  static constexpr bool runs_micro_batches = false;

  struct Shape {
    BucketPlan plan;
    std::size_t contributors = 1;
    std::size_t local_batch = 1;
    std::size_t versions = 1;
    std::size_t delay = 0;
    bool predicts = false;                // weights that are late are not read, but what is made of them
    std::vector<Doorbell*> readers = {};  // to be rung when an update is done
  };

  ParameterUnit(E const& executor, Shape shape)
      : home_(executor.fork()),
        shape_(std::move(shape)),
        gradient_slots_(shape_.delay + 1),
        gradients_(home_, gradient_slots_ * shape_.contributors * shape_.plan.gradient_bytes()),
        used_(shape_.contributors, std::vector<std::uint8_t>(shape_.plan.parameters(), 1)),
        arrivals_(gradient_slots_),
        store_(home_, 0),
        predicted_(home_, 0) {
    for (Arrivals& arrivals : arrivals_) arrivals.samples.assign(shape_.contributors, 0);
    if constexpr (!HostOrderedExecutor<E>) {
      while (arrived_.size() < shape_.contributors) arrived_.push_back(home_.make_event());
      while (updated_.size() < gradient_slots_) updated_.push_back(home_.make_event());
      home_.synchronize();  // memory of a pool is there for other streams, too
    }
  }

  ParameterUnit(ParameterUnit const&) = delete;
  ParameterUnit& operator=(ParameterUnit const&) = delete;

  ~ParameterUnit() {
    try {
      home_.synchronize();  // what was enqueued refers to this object
    } catch (...) {
    }
  }

  E const& executor() const { return home_; }
  std::size_t workers() const { return shape_.contributors; }
  std::size_t local_batch() const { return shape_.local_batch; }
  BucketPlan const& plan() const { return shape_.plan; }
  std::size_t versions() const { return shape_.versions; }
  std::uint8_t* used(std::size_t contributor) { return used_[contributor].data(); }
  /// Errors: `ContractViolation`: a pipeline's layout is its schedule's.
  void resize(WorkLayout const&) {
    throw ContractViolation("a pipeline cannot be resized: a new one of another schedule would be right");
  }

  /// What it has taken: gradients, and once it is bound further versions of the weights. Units: bytes.
  std::size_t workspace_bytes() const {
    return gradients_.size() + (store_.size() + predicted_.size()) * sizeof(Real);
  }

  /// Takes the caller's weights, by parameter, as version 0.
  void bind(std::vector<ViewOn<Real, E>> weights) {
    caller_ = std::move(weights);
    first_ = caller_;
    if (shape_.versions == 1) return;
    std::size_t apart = 0;
    for (auto const& view : caller_) apart += padded(view.size());
    auto const [begin, elements] = row_of(caller_);
    std::size_t const together = padded(elements);
    if ((shape_.versions - 1) * together + line <= shape_.versions * apart) {
      lay_out_behind(begin, together);
    } else {
      lay_out_apart(apart);
    }
    auto const size = static_cast<std::size_t>(distance_);
    if (shape_.predicts && shape_.delay != 0) predicted_ = Buffer<Real, E>(home_, size * gradient_slots_);
    import_weights();
  }
  /// What a recipe is bound to.
  std::vector<ViewOn<Real, E>> const& bound_weights() const { return first_; }

  ViewOn<Real const, E> weights(std::uint64_t version, std::size_t parameter) const {
    return {first_[parameter].data() + place_of(version), first_[parameter].size()};
  }
  /// What stands for late weights in the period of an update.
  bool predicts() const { return predicted_.size() != 0; }
  ViewOn<Real, E> predicted(std::uint64_t update, std::size_t parameter) const {
    auto const offset = static_cast<std::size_t>(distance_) * (update % gradient_slots_);
    return {predicted_.data() + offset + distance_between(begin_, first_[parameter].data()),
            first_[parameter].size()};
  }
  ViewOn<Real, E> gradient(std::uint64_t update, std::size_t contributor, std::size_t parameter) const {
    auto const [bucket, offset] = shape_.plan.place(parameter);
    std::byte* const data = gradients_of(update, contributor) + shape_.plan[bucket].offset;
    return {reinterpret_cast<Real*>(data) + offset, shape_.plan.parameter(parameter).elements};
  }

  std::size_t delay() const { return shape_.delay; }

  /// Whether the gradient for an update may be written: the one that lay there has been used.
  bool has_room_for(std::uint64_t update) const { return completed() + shape_.delay >= update; }

  /// How many updates have been made. Units: updates since the last `restart`.
  std::uint64_t completed() const { return completed_.load(std::memory_order_acquire); }

  /// What calls the bound recipe and gives the number of steps that it has started, and what tells whether
  /// the last of so many has taken effect.
  void set_update(void* recipe, std::uint64_t (*update)(void*, ParameterUnit&),
                  bool (*has_taken_effect)(void*, std::uint64_t)) {
    recipe_ = recipe;
    update_ = update;
    has_taken_effect_ = has_taken_effect;
  }
  bool has_failed() const { return failed_.load(std::memory_order_acquire); }

  /// On a device, where updates are counted when they are enqueued: what `point` is given later waits for so
  /// many. Errors: `ContractViolation` if they have not been enqueued.
  void wait_for_update(std::uint64_t count, E const& point) const {
    if (completed() < count)
      throw ContractViolation(
          "weights that stages share are read before their update is enqueued: a table "
          "whose stages that share a parameter are on one worker would be right");
    point.wait(updated_[(count - 1) % gradient_slots_]);
  }

  /// Of how many samples of all replicas an update is, before the last part of its gradient arrives; 0: not
  /// known.
  void tell_samples(std::uint64_t update, std::size_t samples_of_all) {
    std::lock_guard const lock(mutex_);
    arrivals_[update % gradient_slots_].samples_of_all = samples_of_all;
  }

  /// A contributor's gradient for an update is complete, at `point`; the last one starts it.
  /// Errors: what the recipe throws.
  void arrive(std::uint64_t update, std::size_t contributor, std::size_t samples, std::size_t micro_batches,
              E const& point) {
    std::lock_guard const lock(mutex_);
    if constexpr (!HostOrderedExecutor<E>) {
      point.record(arrived_[contributor]);
      home_.wait(arrived_[contributor]);
    }
    Arrivals& arrivals = arrivals_[update % gradient_slots_];
    arrivals.samples[contributor] = samples;
    if (++arrivals.count != shape_.contributors) return;
    arrivals.count = 0;
    arrivals.micro_batches = micro_batches;
    std::chrono::steady_clock::time_point const complete = std::chrono::steady_clock::now();
    std::uint64_t const steps = update_(recipe_, *this);
    ++started_;
    home_.submit([this, complete, steps] {
      if (has_taken_effect_(recipe_, steps)) {
        note_time_since(complete);
        completed_.fetch_add(1, std::memory_order_acq_rel);
      } else {
        failed_.store(true, std::memory_order_release);
      }
      for (Doorbell* bell : shape_.readers) bell->ring();
    });
    if constexpr (!HostOrderedExecutor<E>) home_.record(updated_[update % gradient_slots_]);
  }

  /// The longest time from the last part of a gradient to the end of its update, since the last call. On a
  /// host, between runs. Units: nanoseconds.
  std::int64_t take_longest_update() { return longest_update_.exchange(0); }

  /// Sets how many updates there were, of weights in one version: those that were counted since were
  /// captured, or others were replays of them. Between runs.
  void set_count(std::uint64_t updates) {
    started_ = updates;
    completed_ = updates;
    for (Arrivals& arrivals : arrivals_) arrivals.count = 0;
  }

  /// Puts the latest weights into the caller's memory. When nothing is under way.
  void export_weights() {
    if (is_first_of_caller()) return settle_weights();
    for (std::size_t p = 0; p < caller_.size(); ++p) copy(home_, weights(completed(), p), caller_[p]);
    home_.synchronize();
  }
  /// The caller's memory is version 0 from here on. When nothing is under way.
  void restart() {
    import_weights();
    go_on_from(0);
  }
  /// Puts the latest weights into those that a recipe is bound to. When nothing is under way.
  void settle_weights() {
    if (place_of(completed()) != 0) {
      for (std::size_t p = 0; p < caller_.size(); ++p) copy(home_, weights(completed(), p), first_[p]);
      home_.synchronize();
    }
    first_version_ = completed();
  }
  /// The weights that the recipe is bound to are those after so many updates. When nothing is under way.
  void resume(std::uint64_t updates) {
    go_on_from(updates);
    export_weights();
  }

  /// An update, for the recipe.
  struct Launch {
    ParameterUnit& unit;

    /// Of all replicas; 0: not known here.
    std::size_t samples() const { return unit.samples(); }
    WeightShift weight_shift() const {
      return {unit.place_of(unit.started_), unit.place_of(unit.started_ + 1)};
    }
    void start(GradientSink<E, Real>& sink, StepInfo const& step) const { unit.start(sink, step); }
  };

 private:
  struct Arrivals {
    std::size_t count = 0;
    std::size_t micro_batches = 1;
    std::size_t samples_of_all = 0;    // replicas; 0: not known
    std::vector<std::size_t> samples;  // by contributor
  };

  std::size_t samples() const { return arrivals_[started_ % gradient_slots_].samples_of_all; }

  static constexpr std::size_t line = 64 / sizeof(Real);

  static constexpr std::size_t padded(std::size_t elements) { return (elements + line - 1) / line * line; }

  std::ptrdiff_t place_of(std::uint64_t version) const {
    std::uint64_t const place = (version - first_version_) % shape_.versions;
    return place == 0 ? 0 : second_ + static_cast<std::ptrdiff_t>(place - 1) * distance_;
  }
  std::byte* gradients_of(std::uint64_t update, std::size_t contributor) const {
    std::size_t const index = update % gradient_slots_ * shape_.contributors + contributor;
    return gradients_.data() + index * shape_.plan.gradient_bytes();
  }

  void go_on_from(std::uint64_t updates) {
    first_version_ = started_ = updates;
    completed_ = updates;
    failed_ = false;
    for (Arrivals& arrivals : arrivals_) arrivals.count = 0;
  }

  struct Row {
    Real* begin = nullptr;
    std::size_t elements = 0;
  };

  /// Of numbers, since the two need not be in one allocation. Units: elements.
  static std::ptrdiff_t distance_between(Real const* from, Real const* to) {
    auto const bytes = reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from);
    return static_cast<std::ptrdiff_t>(bytes) / static_cast<std::ptrdiff_t>(sizeof(Real));
  }

  /// From the first to the last weight, with what is between.
  static Row row_of(std::vector<ViewOn<Real, E>> const& views) {
    Real* begin = nullptr;
    Real* end = nullptr;
    for (auto const& view : views) {
      if (view.size() == 0) continue;
      if (begin == nullptr || distance_between(view.data(), begin) > 0) begin = view.data();
      Real* const last = view.data() + view.size();
      if (end == nullptr || distance_between(end, last) > 0) end = last;
    }
    return {begin, begin == nullptr ? 0 : static_cast<std::size_t>(distance_between(begin, end))};
  }

  /// The caller's memory is the first place; the others are as far from lines of memory as it is.
  void lay_out_behind(Real* begin, std::size_t size) {
    begin_ = begin;
    distance_ = static_cast<std::ptrdiff_t>(size);
    store_ = Buffer<Real, E>(home_, size * (shape_.versions - 1) + line);
    constexpr auto whole = static_cast<std::ptrdiff_t>(line);
    std::ptrdiff_t const distance = distance_between(begin, store_.data());
    second_ = distance + ((-distance) % whole + whole) % whole;
  }
  void lay_out_apart(std::size_t size) {
    second_ = distance_ = static_cast<std::ptrdiff_t>(size);
    store_ = Buffer<Real, E>(home_, size * shape_.versions);
    begin_ = store_.data();
    std::size_t offset = 0;
    for (auto& view : first_) {
      view = {store_.data() + offset, view.size()};
      offset += padded(view.size());
    }
  }

  bool is_first_of_caller() const { return begin_ == nullptr || begin_ != store_.data(); }

  void import_weights() {
    if (is_first_of_caller()) return;
    for (std::size_t p = 0; p < caller_.size(); ++p)
      copy(home_, ViewOn<Real const, E>(caller_[p]), first_[p]);
    home_.synchronize();
  }

  void note_time_since([[maybe_unused]] std::chrono::steady_clock::time_point complete) {
    if constexpr (HostOrderedExecutor<E>) {
      std::chrono::nanoseconds const time = std::chrono::steady_clock::now() - complete;
      if (time.count() > longest_update_.load(std::memory_order_relaxed))
        longest_update_.store(time.count(), std::memory_order_relaxed);
    }
  }

  /// In the home stream, where the update before has ended.
  void start(GradientSink<E, Real>& sink, StepInfo step) {
    Arrivals const& arrivals = arrivals_[started_ % gradient_slots_];
    // The ranks have the same schedule, so each has as many.
    step.total_micro_batches = step.total_micro_batches / shape_.contributors * arrivals.micro_batches;
    home_.submit([this, &sink, step, update = started_](E const& point) {
      for (std::size_t contributor = 0; contributor < shape_.contributors; ++contributor)
        report(sink, step, update, contributor, point);
    });
  }

  void report(GradientSink<E, Real>& sink, StepInfo const& step, std::uint64_t update,
              std::size_t contributor, E const& point) {
    for (std::size_t bucket = 0; bucket < shape_.plan.size(); ++bucket) {
      auto const& [offset, size, type, parameters] = shape_.plan[bucket];
      sink.ready({.executor = point,
                  .values = {gradients_of(update, contributor) + offset, size, type},
                  .bucket = bucket,
                  .worker = contributor,
                  .micro_batch = 0,
                  .samples = arrivals_[update % gradient_slots_].samples[contributor],
                  .step = step});
    }
    sink.finished(point, contributor, step);
  }

  E home_;
  Shape shape_;
  std::size_t gradient_slots_;
  Buffer<std::byte, E> gradients_;
  std::vector<std::vector<std::uint8_t>> used_;  // by contributor
  std::mutex mutex_;
  std::vector<Arrivals> arrivals_;  // by gradient
  std::uint64_t started_ = 0;
  std::atomic<std::uint64_t> completed_ = 0;
  std::atomic<bool> failed_ = false;
  std::atomic<std::int64_t> longest_update_ = 0;
  std::vector<ViewOn<Real, E>> caller_;  // by parameter
  std::vector<ViewOn<Real, E>> first_;
  std::vector<typename E::event_type> arrived_;  // on a device: by contributor
  std::vector<typename E::event_type> updated_;  // by gradient
  Buffer<Real, E> store_;
  Buffer<Real, E> predicted_;        // by gradient
  Real* begin_ = nullptr;            // of the first place
  std::ptrdiff_t second_ = 0;        // from the first place to the second one
  std::ptrdiff_t distance_ = 0;      // from each of the others to the next
  std::uint64_t first_version_ = 0;  // lies in the first place
  void* recipe_ = nullptr;
  std::uint64_t (*update_)(void*, ParameterUnit&) = nullptr;
  bool (*has_taken_effect_)(void*, std::uint64_t) = nullptr;
};

}  // namespace weir::inline v1
