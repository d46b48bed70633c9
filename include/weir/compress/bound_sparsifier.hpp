#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "weir/comm/gather_pairs.hpp"
#include "weir/compress/sparsifier_archive.hpp"
#include "weir/compress/sparsifier_settings.hpp"
#include "weir/compress/tail_exchange.hpp"
#include "weir/compress/threshold/deferred.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/sparsifying_backend.hpp"
#include "weir/exec/step_clock.hpp"
#include "weir/exec/threshold_policy.hpp"
#include "weir/stage/checkpoint.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// The backend has all that a sparsifier with this policy is made of.
template <class E, class Policy, class Real>
concept SparsifierBackend = SparsifyingBackend<E, Policy, Real, Real> &&
    SparsifyingBackend<E, Deferred, Real, Real> && ScatteringBackend<E, Real> && CopyingBackend<E, Real> &&
    CopyingBackend<E, std::uint64_t> && TransferringBackend<E> && ScalarBackend<E, InitialiseThreshold> &&
    ScalarBackend<E, SetDensity> && ScalarBackend<E, SetStepClock> && ScalarBackend<E, AdvanceStepClock>;

/// A sparsifier bound to a recipe: its pairs, what it keeps, and its state, per bucket.
///
/// A step that fails leaves what is kept as it was before, but for `SparsifierMemoryKind::estimate`.
template <ThresholdPolicy Threshold, Executor E, class Real, class Exchange = NoTailExchange>
class BoundSparsifier {
  using Space = typename E::memory_space;
  using Sides = TwoSidedView<Real, Space>;

 public:
  BoundSparsifier(RecipeContext<E, Real> const& context, SparsifierSettings const& settings,
                  Threshold const& policy, std::string text, Exchange exchange = {})
      : settings_(checked(settings, context.plan)),
        policy_(policy),
        text_(std::move(text)),
        exchange_(std::move(exchange)),
        executor_(context.executor),
        plan_(&context.plan),
        used_(&context.used),
        clock_(context.executor, 1),
        states_(context.executor, context.plan.size()),
        states_before_(context.executor, context.plan.size()),
        scratch_(context.executor, scratch_bytes(context)),
        ever_used_(context.plan.parameters()),
        reported_(context.plan.size()) {
    for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) buckets_.push_back(make(bucket));
    apply_scalars(executor_, SetStepClock{clock_.data(), 0});
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      initialise(bucket);
      set_zero(executor_, buckets_[bucket].residual.view());
      set_zero(executor_, buckets_[bucket].momentum.view());
      set_zero(executor_, buckets_[bucket].pairs.view());
    }
    copy(executor_, words(states_), mutable_words(states_before_));
  }

  void begin_step(E const& point, StepInfo const& step) {
    if (is_torn_)
      throw TornStep(
          "a step has failed after this rank had changed what it knows of the others: load a "
          "checkpoint, or call restored() on all ranks");
    // A captured step counts by itself.
    if (!is_being_captured(point)) apply_scalars(point, SetStepClock{clock_.data(), step.number});
    apply_scalars(point, AdvanceStepClock{clock_.data()});
    copy(point, words(states_), mutable_words(states_before_));
    has_begun_ = true;
  }

  SparseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
    if (gradient.used != nullptr)
      throw ContractViolation(
          "a map of used parameters comes before the sparsifier: UsedParameters belongs behind the "
          "all-reduce");
    Bucket& bucket = buckets_[gradient.bucket];
    set_density(gradient, bucket);
    if (settings_.memory.is_kept()) keep_used(gradient.bucket);

    SparseGradient<E, Real> sparse{.executor = gradient.executor,
                                   .indices = bucket.selection.indices,
                                   .values = bucket.selection.values,
                                   .count = &bucket.selection.counts->count,
                                   .status = &states_.data()[gradient.bucket].last.status,
                                   .block = bucket.pairs.view(),
                                   .dense = gradient.values,
                                   .bucket = gradient.bucket,
                                   .samples = gradient.samples,
                                   .step = gradient.step};
    sparse.shares_indices = RandomSlots<Threshold>;
    sparse.is_whole = bucket.is_kept_dense;
    if (size_of(settings_.options.precision) == 2) sparse.precision = settings_.options.precision;
    if (bucket.is_kept_dense) {
      run(gradient, bucket, Deferred{});
      take_all(gradient.executor, bucket.sides, gradient.values);
    } else {
      std::size_t const size = gradient.values.size();
      sparse.expected = settings_.selects_everything ? size : slots_of(bucket.density, size);
      if (settings_.memory.kind != SparsifierMemoryKind::estimate) sparse.residual = bucket.sides;
      run(gradient, bucket, policy_);
    }
    if constexpr (HostOrderedExecutor<E>) {
      SparsifyStatistics const& last = states_.data()[gradient.bucket].last;
      if (last.status == SparsifyStatus::failed) fail({}, last.non_finite);
    }
    return sparse;
  }

  void end_step(E const&, StepInfo const&) { has_begun_ = false; }

  void cancel_step(E const& point) {
    if (!std::exchange(has_begun_, false)) return;
    copy(point, words(states_before_), mutable_words(states_));
    is_torn_ = settings_.memory.kind == SparsifierMemoryKind::estimate;
  }

  /// Whether a step has failed that could not be undone.
  bool is_torn() const { return is_torn_; }

  /// What the last step that has passed did with a bucket. Blocks.
  SparsifyStatistics statistics(std::size_t bucket) const { return state(bucket).last; }

  /// All that is known of a bucket besides its vectors. Blocks.
  ThresholdState state(std::size_t bucket) const {
    return to_host(executor_, states_.view().part(bucket, 1))[0];
  }

  /// What was not sent so far of a bucket, or with `EF21` what was. Empty where nothing is kept. Blocks.
  std::vector<Real> residual(std::size_t bucket) const { return to_host_vector(buckets_[bucket].sides); }

  /// The momentum of a bucket. Empty where there is none. Blocks.
  std::vector<Real> momentum(std::size_t bucket) const {
    return to_host_vector(buckets_[bucket].momentum_sides);
  }

  /// On a device it is known only afterwards; nothing was sent.
  void raise() requires(!HostOrderedExecutor<E>) {
    if (settings_.non_finite != NonFinitePolicy::error) return;
    std::vector<ThresholdState> const states = to_host(executor_, states_.view());
    for (std::size_t bucket = 0; bucket < states.size(); ++bucket) {
      std::uint64_t const before = std::exchange(reported_[bucket], states[bucket].non_finite_steps);
      if (states[bucket].non_finite_steps > before)
        fail("bucket " + std::to_string(bucket) + ": ", states[bucket].last.non_finite);
    }
  }

  void watch() requires(requires(Exchange& exchange) { exchange.watch(); }) { exchange_.watch(); }
  void abort() noexcept requires(Exchange::is_shared) { exchange_.abort(); }

  /// After others have changed the weights: what was known of other ranks holds no longer.
  void refresh(E const& executor) {
    if (!std::exchange(is_torn_, false)) return;
    for (Bucket const& bucket : buckets_) set_zero(executor, bucket.residual.view());
  }

  template <class Archive>
  void save(Archive& archive) const {
    archive.put("sparsifier.version", 0, sparsifier_archive_version);
    archive.put("sparsifier.policy", 0, text_);
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      put_threshold_state(archive, buckets_[bucket].constants, plan()[bucket].size, state(bucket));
      if (auto const* name = residual_name(bucket))
        put_by_parameter(archive, name, plan(), bucket, residual(bucket));
      if (auto const* name = momentum_name())
        put_by_parameter(archive, name, plan(), bucket, momentum(bucket));
    }
  }

  template <class Archive>
  void check(Archive const& archive, LoadOptions options) const {
    check_sparsifier_version(archive, plan());
    if (options.strict) check_sparsifier_policy(archive, plan(), text_);
    bool const same_buckets = archive.header().layout_hash == plan().layout_hash();
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      check_threshold_state(archive, buckets_[bucket].constants, plan()[bucket].size, bucket, same_buckets);
      for (char const* name : memory_names) {
        if (name == residual_name(bucket) || name == momentum_name()) {
          check_by_parameter<Real>(archive, name, plan(), bucket);
        } else {
          refuse_by_parameter(archive, name, plan(), bucket);
        }
      }
    }
  }

  template <class Archive>
  void load(Archive const& archive) {
    bool const same_policy = archive.text("sparsifier.policy", 0) == text_;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      Bucket& here = buckets_[bucket];
      ThresholdState state{.density = settings_.density(bucket, 0)};
      if (same_policy) get_threshold_state(archive, here.constants, state);
      from_host(executor_, std::span<ThresholdState const>(&state, 1), states_.view().part(bucket, 1));
      reported_[bucket] = state.non_finite_steps;
      here.density = 0.0;
      if (auto const* name = residual_name(bucket))
        keep(bucket, get_by_parameter<Real>(archive, name, plan(), bucket));
      if (auto const* name = momentum_name())
        from_host_vector(get_by_parameter<Real>(archive, name, plan(), bucket), here.momentum_sides);
    }
    is_torn_ = false;
  }

  /// Forgets what was not sent so far, as a rank does that is new and has loaded the archive of another.
  /// Between steps. Blocks.
  void forget() {
    for (Bucket const& bucket : buckets_) {
      set_zero(executor_, bucket.residual.view());
      set_zero(executor_, bucket.momentum.view());
    }
    executor_.synchronize();
  }

  /// Adds what a rank that is gone had not sent yet, from the archive that it saved. Between steps. Blocks.
  template <class Archive>
  void absorb(Archive const& archive) {
    check(archive, {.strict = false});
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      char const* const name = residual_name(bucket);
      if (name == nullptr || settings_.memory.kind == SparsifierMemoryKind::estimate) continue;
      std::vector<Real> sum = residual(bucket);
      std::vector<Real> const gone = get_by_parameter<Real>(archive, name, plan(), bucket);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gone[i];
      keep(bucket, sum);
    }
  }

 private:
  template <class Element>
  using Work = SparsifyWork<Element, Real, Space>;

  struct Bucket {
    SparsifyConstants constants;
    bool is_kept_dense;
    Buffer<Real, E> residual;        // both sides, one after the other
    Buffer<Real, E> momentum;        // the same
    Buffer<std::uint64_t, E> pairs;  // a block of `PairBlocks`
    Sides sides;
    Sides momentum_sides;
    Selection<Real, Space> selection;
    double density = 0.0;                  // that the state was told last
    WeightedTerm<Real, Space> whole = {};  // a gradient that is not pending
    std::tuple<Work<half>, Work<bfloat16>, Work<float>, Work<double>> work = {};  // one of them is used
  };

  static constexpr char const* residual_names[3] = {"error_feedback.residual", "momentum_correction.residual",
                                                    "ef21.estimate"};
  static constexpr char const* memory_names[] = {residual_names[0], residual_names[1], residual_names[2],
                                                 "momentum_correction.momentum"};

  static SparsifierSettings const& checked(SparsifierSettings const& settings, BucketPlan const& plan) {
    settings.check(plan);
    return settings;
  }

  BucketPlan const& plan() const { return *plan_; }

  std::size_t scratch_bytes(RecipeContext<E, Real> const& context) const {
    std::size_t most = 0;
    for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) {
      std::size_t const bytes = sparsify_scratch_bytes<Real>(context.executor, context.plan[bucket].size,
                                                             settings_.options.density_of(bucket));
      if (most < bytes) most = bytes;
    }
    return most;
  }

  Bucket make(std::size_t index) const {
    std::size_t const size = plan()[index].size;
    std::size_t const distance = SparsifierSettings::side_distance<Real>(size);
    std::size_t const residual_sides = settings_.residual_sides(plan(), index);
    std::size_t const momentum_sides = settings_.momentum_sides();
    Bucket bucket{
        .constants = settings_.constants(plan(), index),
        .is_kept_dense = settings_.is_kept_dense(plan(), index),
        .residual = Buffer<Real, E>(executor_, residual_sides * distance),
        .momentum = Buffer<Real, E>(executor_, momentum_sides * distance),
        .pairs = Buffer<std::uint64_t, E>(executor_, settings_.template pair_words<Real>(plan(), index)),
        .sides = {},
        .momentum_sides = {},
        .selection = {}};
    std::uint32_t const* const side = &states_.data()[index].side;
    bucket.sides = sides_of(bucket.residual, residual_sides, size, side);
    bucket.momentum_sides = sides_of(bucket.momentum, momentum_sides, size, side);
    PairBlocks<Real, Space> const pairs(bucket.pairs.view(), settings_.capacity(plan(), index), 1);
    bucket.selection = {reinterpret_cast<SelectionCounts*>(pairs.header(0)), pairs.indices(0),
                        pairs.values(0)};
    return bucket;
  }

  static Sides sides_of(Buffer<Real, E> const& memory, std::size_t sides, std::size_t size,
                        std::uint32_t const* side) {
    if (sides == 0) return {};
    return {memory.data(), memory.data() + (sides - 1) * (memory.size() / sides), size, side};
  }

  void initialise(std::size_t bucket) {
    buckets_[bucket].density = settings_.density(bucket, 0);
    apply_scalars(executor_, InitialiseThreshold{states_.data() + bucket, buckets_[bucket].density});
  }

  void set_density(DenseGradient<E, Real> const& gradient, Bucket& bucket) {
    double const density = settings_.density(gradient.bucket, gradient.step.number);
    if (density == bucket.density) return;
    bucket.density = density;
    apply_scalars(gradient.executor, SetDensity{states_.data() + gradient.bucket, density});
  }

  /// What is kept of a parameter's gradient may be sent at any time, so the parameter stays in use.
  void keep_used(std::size_t bucket) {
    for (std::size_t parameter : plan()[bucket].parameters) {
      for (std::uint8_t const* worker : *used_)
        if (worker[parameter] != 0) ever_used_[parameter] = 1;
      if (ever_used_[parameter] != 0) used_->front()[parameter] = 1;
    }
  }

  template <class Policy>
  void run(DenseGradient<E, Real> const& gradient, Bucket& bucket, Policy const& policy) {
    if (gradient.pending.count == 0) {
      bucket.whole = {gradient.values, 1.0};
      return run<Real>(gradient, bucket, policy,
                       std::span<WeightedTerm<Real, Space> const>(&bucket.whole, 1));
    }
    visit_element(gradient.pending.type, [&]<class Element>(Element*) {
      using Term = WeightedTerm<Element, Space>;
      if constexpr (SparsifyingBackend<E, Policy, Element, Real>) {
        run<Element>(gradient, bucket, policy,
                     std::span(static_cast<Term const*>(gradient.pending.terms), gradient.pending.count));
      } else {
        throw ContractViolation(std::string("this backend cannot sparsify ") +
                                name_of(gradient.pending.type));
      }
    });
  }

  template <class Element, class Policy>
  void run(DenseGradient<E, Real> const& gradient, Bucket& bucket, Policy const& policy,
           std::span<WeightedTerm<Element, Space> const> terms) {
    auto& work = std::get<Work<Element>>(bucket.work);
    bool const keeps = !bucket.sides.empty();
    work = {.terms = terms,
            .scale = gradient.scale,
            .accumulator = {},
            .residual = bucket.sides,
            .momentum = bucket.momentum_sides,
            .constants = bucket.constants,
            .state = states_.data() + gradient.bucket,
            .out = bucket.selection,
            .scratch = scratch_.view(),
            .step = &clock_.data()->step};
    bool const differs = bucket.constants.feedback == FeedbackKind::differences;
    if (!keeps || differs) work.accumulator = gradient.values;
    if constexpr (Exchange::is_shared && (FittedThreshold<Policy> || RankedThreshold<Policy>)) {
      work.part = SparsifyPart::accumulate;
      work.tail = exchange_.own();
      sparsify(gradient.executor, work, policy);
      exchange_(gradient.executor, bucket.constants.non_finite);
      if constexpr (RankedThreshold<Policy>)
        exchange_.find(gradient.executor, work, gradient.values.size(), policy);
      work.part = SparsifyPart::select;
      work.shared_tail = exchange_.merged();
    }
    sparsify(gradient.executor, work, policy);
  }

  [[noreturn]] static void fail(std::string const& place, std::uint64_t count) {
    throw NonFiniteGradient(place + std::to_string(count) + " elements are NaN or infinite");
  }

  static ViewOn<std::uint64_t const, E> words(Buffer<ThresholdState, E> const& states) {
    return mutable_words(states);
  }
  static ViewOn<std::uint64_t, E> mutable_words(Buffer<ThresholdState, E> const& states) {
    static_assert(sizeof(ThresholdState) % sizeof(std::uint64_t) == 0);
    return {reinterpret_cast<std::uint64_t*>(states.data()),
            states.size() * (sizeof(ThresholdState) / sizeof(std::uint64_t))};
  }

  std::vector<Real> to_host_vector(Sides const& sides) const {
    Buffer<Real, E> const whole(executor_, sides.size());
    if (!sides.empty()) copy(executor_, sides, whole.view());
    return to_host(executor_, whole.view());
  }

  void from_host_vector(std::vector<Real> const& values, Sides const& sides) {
    Buffer<Real, E> const whole(executor_, sides.size());
    from_host(executor_, std::span<Real const>(values), whole.view());
    copy(executor_, ViewOn<Real const, E>(whole.view()), sides);
    executor_.synchronize();
  }

  /// Replaces what is kept of a bucket. Parameters of which there is something are in use.
  void keep(std::size_t bucket, std::vector<Real> const& values) {
    from_host_vector(values, buckets_[bucket].sides);
    for (std::size_t parameter : plan()[bucket].parameters) {
      std::size_t const first = plan().place(parameter).offset;
      for (std::size_t i = first; i < first + plan().parameter(parameter).elements; ++i)
        if (values[i] != 0) ever_used_[parameter] = 1;
    }
  }

  char const* residual_name(std::size_t bucket) const {
    if (buckets_[bucket].is_kept_dense || !settings_.memory.is_kept()) return nullptr;
    return residual_names[static_cast<std::size_t>(settings_.memory.kind) - 1];
  }
  char const* momentum_name() const {
    return settings_.memory.kind == SparsifierMemoryKind::momentum ? memory_names[3] : nullptr;
  }

  SparsifierSettings settings_;
  Threshold policy_;
  std::string text_;
  [[no_unique_address]] Exchange exchange_;
  E executor_;
  BucketPlan const* plan_;
  std::vector<std::uint8_t*> const* used_;
  Buffer<StepClock, E> clock_;
  Buffer<ThresholdState, E> states_;         // by bucket
  Buffer<ThresholdState, E> states_before_;  // the step under way
  Buffer<std::byte, E> scratch_;             // of one bucket after another
  std::vector<Bucket> buckets_;
  std::vector<std::uint8_t> ever_used_;  // by parameter
  std::vector<std::uint64_t> reported_;  // by bucket: steps that were not finite, and were told
  bool has_begun_ = false;
  bool is_torn_ = false;
};

}  // namespace weir::inline v1
