#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/random.hpp"
#include "weir/exec/step_random.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/loss_weight.hpp"
#include "weir/pipeline/parameter_unit.hpp"
#include "weir/stage/loss_sum.hpp"

namespace weir::inline v1 {

namespace detail {

/// How the tensors of a message lie in its buffer.
struct MessageLayout {
  std::vector<std::size_t> elements;  // of one sample, by tensor; 0: not in it
  std::vector<std::size_t> offsets;   // bytes
  std::size_t bytes = 0;
};

/// One copy of a stage, as its calls need it.
template <class E, class Real>
struct StageLane {
  struct Place {
    ParameterUnit<E, Real>* unit = nullptr;
    std::size_t parameter = 0;    // in the unit
    std::size_t contributor = 0;  // this lane, among those that add to the unit's gradient
    std::uint32_t delay = 0;      // of the weights to read; not the operation's only for tied parameters
    bool is_tied = false;
  };

  std::size_t stage = 0;
  std::size_t stages = 1;
  bool is_empty = false;
  std::size_t saved = 0;                  // elements of one sample
  MessageLayout const* inputs = nullptr;  // null: none
  MessageLayout const* outputs = nullptr;
  MessageLayout const* input_gradients = nullptr;
  MessageLayout const* output_gradients = nullptr;
  std::vector<MessageLayout const*> skip_inputs = {};  // by skip edge that ends here, ascending
  std::vector<MessageLayout const*> skip_gradients = {};
  std::vector<Place> parameters = {};
  std::vector<std::uint8_t> touched = {};  // by parameter, in the call under way
};

/// What one call of a stage works on.
template <class E, class Real>
struct StageCall {
  E const& executor;
  StageLane<E, Real>& lane;
  std::size_t samples = 0;
  std::size_t local_batch = 1;
  std::size_t index = 0;
  std::size_t global_index = 0;
  std::uint64_t step = 0;
  std::uint64_t seed = 0;
  LossWeight loss_weight = {};
  std::uint64_t first_version = 0;  // number of the run's first weights
  std::uint32_t version = 0;        // from there on
  std::uint32_t period = 0;
  bool accumulates = false;
  bool is_recompute = false;
  bool is_evaluation = false;
  std::byte* input = nullptr;
  std::byte* output = nullptr;
  std::byte* input_gradient = nullptr;
  std::byte* output_gradient = nullptr;
  std::byte* saved = nullptr;
  std::byte* const* skip_inputs = nullptr;
  std::byte* const* skip_gradients = nullptr;
  StepClock const* clock = nullptr;  // of the run's first update; on a device only
  LossSum* loss = nullptr;
};

}  // namespace detail

/// What a stage of a pipeline gets for one micro-batch: its samples, the tensors of its neighbours, weights
/// of the right version, and where its results go. Valid inside the call only.
///
/// Shapes: tensor k of an edge has its elements of one sample times the samples of the micro-batch.
/// Gradients of weights are those of the mean loss of the micro-batch times `loss_scale()`, written over what
/// is there or, if `accumulate()`, added to it; a gradient that was not asked for counts as zero.
template <Executor E, class Samples, class Real = float>
class StageMicro {
  using Call = detail::StageCall<E, Real>;

 public:
  using executor_type = E;

  StageMicro(Call& call, Samples samples) : call_(call), samples_(samples) {}

  E const& executor() const { return call_.executor; }
  /// The micro-batch's piece of the batch; never empty. Any stage may read it: labels need not travel.
  Samples const& samples() const { return samples_; }

  std::size_t stage() const { return call_.lane.stage; }
  std::size_t stages() const { return call_.lane.stages; }
  bool is_first_stage() const { return stage() == 0; }
  bool is_last_stage() const { return stage() + 1 == stages(); }
  /// Among the micro-batches of this update, or flush.
  std::size_t index() const { return call_.index; }
  /// u, among those of all replicas.
  std::size_t global_index() const { return call_.global_index; }
  /// The number of the update that the micro-batch goes into; a captured one is told by `random`.
  std::uint64_t step() const { return call_.step; }
  /// The forward has run before, on the same input: what it counts, such as running statistics, is counted.
  bool is_recompute() const { return call_.is_recompute; }
  /// There will be no backward.
  bool is_evaluation() const { return call_.is_evaluation; }

  /// What the stage before gave as its output k. Still there in the backward.
  ViewOn<Real const, E> input(std::size_t k = 0) const { return tensor(call_.lane.inputs, call_.input, k); }
  ViewOn<Real, E> output(std::size_t k = 0) const { return tensor(call_.lane.outputs, call_.output, k); }
  /// Of output k, in the backward.
  ViewOn<Real const, E> output_gradient(std::size_t k = 0) const {
    return tensor(call_.lane.output_gradients, call_.output_gradient, k);
  }
  /// Where the gradient of input k goes, in the backward; empty for the first stage.
  ViewOn<Real, E> input_gradient(std::size_t k = 0) const {
    return tensor(call_.lane.input_gradients, call_.input_gradient, k);
  }
  /// Output k of the stage at which a skip edge begins: the `edge`-th of those that end here.
  ViewOn<Real const, E> skip_input(std::size_t edge = 0, std::size_t k = 0) const {
    return tensor(call_.lane.skip_inputs[edge], call_.skip_inputs[edge], k);
  }
  ViewOn<Real, E> skip_gradient(std::size_t edge = 0, std::size_t k = 0) const {
    return tensor(call_.lane.skip_gradients[edge], call_.skip_gradients[edge], k);
  }
  /// What the forward leaves to the backward; `StageLayout::saved` elements of each sample.
  ViewOn<Real, E> saved() const {
    return {reinterpret_cast<Real*>(call_.saved), call_.lane.saved * call_.samples};
  }

  /// The weights of a parameter of this stage, of the same version in every call for this micro-batch.
  ViewOn<Real const, E> weights(std::size_t parameter) const {
    auto const& place = call_.lane.parameters[parameter];
    if (call_.period > call_.version && place.unit->predicts() && !call_.is_evaluation)
      return place.unit->predicted(call_.first_version + call_.period, place.parameter);
    return place.unit->weights(call_.first_version + version(place), place.parameter);
  }
  /// Where the gradient of a parameter goes, in the backward, or in that of the weights.
  ViewOn<Real, E> gradient(std::size_t parameter) const {
    call_.lane.touched[parameter] = 1;
    auto const& place = call_.lane.parameters[parameter];
    return place.unit->gradient(call_.first_version + call_.period, place.contributor, place.parameter);
  }
  /// False: overwrite gradients; true: add to them.
  bool accumulate() const { return call_.accumulates; }
  /// The samples of the micro-batch over those of a full one, times the user's `loss_weight`: by which
  /// gradients of mean losses are multiplied, once, by the last stage.
  Real loss_scale() const {
    double const share = static_cast<double>(call_.samples) / static_cast<double>(call_.local_batch);
    if (call_.loss_weight.is_one()) return static_cast<Real>(share);
    return static_cast<Real>(share *
                             call_.loss_weight({step(), global_index(), call_.samples, call_.local_batch}));
  }

  /// Random numbers for the operation `site` of the model, the same whichever worker runs it, and when it is
  /// recomputed. Stages of one model use different sites. On a host a `RandomStream`; on a device a
  /// `StepRandom`, which kernels make one of.
  auto random(std::uint32_t site) const {
    auto const micro_batch = static_cast<std::uint32_t>(call_.global_index);
    if constexpr (HostOrderedExecutor<E>) {
      return RandomStream{call_.seed, static_cast<std::uint32_t>(call_.step), micro_batch, site};
    } else {
      return StepRandom{call_.seed, call_.clock, micro_batch, site, call_.period};
    }
  }

  /// Reports the mean loss of this micro-batch. A device stage, which does not know it yet, keeps its loss in
  /// memory of its own.
  void loss(double mean) const {
    if (call_.is_recompute) return;
    call_.loss->sum += mean * static_cast<double>(call_.samples);
    call_.loss->samples += call_.samples;
  }

 private:
  std::uint32_t version(typename detail::StageLane<E, Real>::Place const& place) const {
    if (!place.is_tied || call_.is_evaluation) return call_.version;
    return call_.period < place.delay ? 0 : call_.period - place.delay;
  }

  ViewOn<Real, E> tensor(detail::MessageLayout const* layout, std::byte* data, std::size_t k) const {
    if (layout == nullptr || data == nullptr || k >= layout->elements.size()) return {};
    return {reinterpret_cast<Real*>(data + layout->offsets[k]), layout->elements[k] * call_.samples};
  }

  Call& call_;
  Samples samples_;
};

}  // namespace weir::inline v1
