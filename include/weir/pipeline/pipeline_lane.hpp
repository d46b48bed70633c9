#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/comm/message_pool.hpp"
#include "weir/comm/pipeline_message.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/pipeline_channels.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/stage_micro.hpp"

namespace weir::inline v1::detail {

/// Gives a message's buffer back, if there is a message.
inline void release(PipelineMessage& message) noexcept {
  if (message.home != nullptr) message.home->give_back(message.data);
  message = {};
}

/// What a lane holds for one micro-batch under way.
struct LaneRecord {
  PipelineMessage input = {};
  PipelineMessage output = {};  // until it is sent, like the other results
  PipelineMessage output_gradient = {};
  PipelineMessage input_gradient = {};
  std::vector<PipelineMessage> skip_inputs = {};
  std::vector<PipelineMessage> skip_outputs = {};
  std::vector<PipelineMessage> skip_gradients = {};        // of the output, by skip edge that begins here
  std::vector<PipelineMessage> skip_input_gradients = {};  // by skip edge that ends here
  std::vector<std::byte> generator = {};                   // of the stage, as the forward found it
};

/// One copy of a stage at work. Used by its worker only.
template <Executor E, class Real>
struct LaneState {
  using Channel = typename PipelineChannels<E, Real>::Channel;

  struct SkipEnd {
    std::uint16_t link = 0;
    Channel* forward = nullptr;
    Channel* backward = nullptr;
  };
  struct PeriodCount {
    std::size_t samples = 0;
    std::size_t gradients = 0;  // that have been added
  };

  StageLane<E, Real> info = {};
  Channel* from_before = nullptr;  // null at the ends of the model
  Channel* to_next = nullptr;
  Channel* from_next = nullptr;
  Channel* to_before = nullptr;
  std::vector<SkipEnd> skips_in = {};   // by the stage where they begin, ascending
  std::vector<SkipEnd> skips_out = {};  // by the stage where they end, ascending
  std::vector<LaneRecord> records = {};
  std::vector<PeriodCount> periods = {};
  bool is_recomputed = false;
  std::byte* activations = nullptr;        // of all lanes of the worker
  std::byte* scratch = nullptr;            // for the output of a recomputation
  std::vector<std::byte*> skip_data = {};  // of the call under way
  std::vector<std::byte*> skip_gradient_data = {};

  /// Room for so many micro-batches under way.
  void allocate(std::size_t record_count, std::size_t period_count, std::size_t generator_bytes = 0) {
    records.resize(record_count);
    for (LaneRecord& record : records) {
      record.skip_inputs.resize(skips_in.size());
      record.skip_input_gradients.resize(skips_in.size());
      record.skip_outputs.resize(skips_out.size());
      record.skip_gradients.resize(skips_out.size());
      if (is_recomputed) record.generator.resize(generator_bytes);
    }
    skip_data.resize(skips_in.size());
    skip_gradient_data.resize(skips_in.size());
    periods.resize(period_count);
  }

  static std::size_t index_of(std::vector<SkipEnd> const& ends, std::uint16_t link) {
    std::size_t index = 0;
    while (ends[index].link != link) ++index;
    return index;
  }

  void forget() noexcept {
    for (LaneRecord& record : records) {
      record.input = record.output = record.output_gradient = record.input_gradient = {};
      for (auto* messages : {&record.skip_inputs, &record.skip_outputs, &record.skip_gradients,
                             &record.skip_input_gradients}) {
        for (PipelineMessage& message : *messages) message = {};
      }
    }
    for (PeriodCount& period : periods) period = {};
  }
};

/// Bytes of the activations of one micro-batch, by lane.
template <class Real>
std::vector<std::size_t> activation_bytes(LaneMap const& lanes, PipelineOptions const& options) {
  constexpr std::size_t line = 64;
  std::vector<std::size_t> bytes(lanes.lanes(), 0);
  for (std::uint32_t lane = 0; lane < lanes.lanes(); ++lane) {
    StageLayout const& layout = options.stages[lanes.stage(lane)];
    if (layout.is_empty || !lanes.is_here(lane)) continue;
    bytes[lane] = (layout.saved * options.local_batch * sizeof(Real) + line - 1) / line * line;
  }
  return bytes;
}

/// Skip edges are sorted by their other ends.
template <Executor E, class Real>
void connect_skip(LaneState<E, Real>& state, std::uint32_t lane, std::size_t k, LaneMap const& lanes,
                  PipelineChannels<E, Real>& channels, PipelineOptions const& options) {
  auto const [from, to] = options.skip_edges[k];
  std::uint32_t const stage = lanes.stage(lane);
  if (from != stage && to != stage) return;
  std::uint32_t const direction = lanes.direction(lane);
  bool const ends_here = to == stage;
  auto const other_end = [&](typename LaneState<E, Real>::SkipEnd const& end) {
    SkipEdge const& skip = options.skip_edges[end.link - std::size_t{1}];
    return ends_here ? skip.from : skip.to;
  };
  auto& ends = ends_here ? state.skips_in : state.skips_out;
  auto place = ends.begin();
  while (place != ends.end() && other_end(*place) <= (ends_here ? from : to)) ++place;
  ends.insert(place, {static_cast<std::uint16_t>(k + 1), channels.skip(direction, k, true),
                      channels.skip(direction, k, false)});
  if (!ends_here) return;
  state.info.skip_inputs.clear();
  state.info.skip_gradients.clear();
  for (auto const& end : ends) {
    state.info.skip_inputs.push_back(&channels.outputs(other_end(end)));
    state.info.skip_gradients.push_back(&channels.gradients(other_end(end)));
  }
}

/// Tells a lane where its messages come from and go to.
template <Executor E, class Real>
void connect(LaneState<E, Real>& state, std::uint32_t lane, LaneMap const& lanes,
             PipelineChannels<E, Real>& channels, PipelineOptions const& options) {
  std::uint32_t const stage = lanes.stage(lane);
  auto& info = state.info;
  StageLayout const& layout = options.stages[stage];
  info.stage = stage;
  info.stages = lanes.stages();
  info.is_empty = layout.is_empty;
  info.saved = layout.is_empty ? 0 : layout.saved;
  if (stage > 0) {
    state.from_before = channels.forward(lane - 1);
    state.to_before = channels.backward(lane);
    info.inputs = &channels.outputs(stage - 1);
    info.input_gradients = &channels.gradients(stage - 1);
  }
  if (stage + 1 < lanes.stages()) {
    state.to_next = channels.forward(lane);
    state.from_next = channels.backward(lane + 1);
    info.outputs = &channels.outputs(stage);
    info.output_gradients = &channels.gradients(stage);
  }
  for (std::size_t k = 0; k < options.skip_edges.size(); ++k)
    connect_skip(state, lane, k, lanes, channels, options);
}

/// Calls `f(from, to)` with the tensors of two messages of one layout.
template <Executor E, class Real, class Function>
void for_each_tensor(MessageLayout const& layout, std::size_t samples, std::byte const* from, std::byte* to,
                     Function const& f) {
  for (std::size_t k = 0; k < layout.elements.size(); ++k) {
    std::size_t const elements = layout.elements[k] * samples;
    if (elements == 0) continue;
    f(ViewOn<Real const, E>(reinterpret_cast<Real const*>(from + layout.offsets[k]), elements),
      ViewOn<Real, E>(reinterpret_cast<Real*>(to + layout.offsets[k]), elements));
  }
}

/// Opens the gradient of a lane for one micro-batch, and completes it: what the first one has not touched is
/// zero.
template <Executor E, class Real>
struct GradientScope {
  LaneState<E, Real>& state;
  StageCall<E, Real>& call;

  void open() const {
    call.accumulates = state.periods[call.period].gradients != 0;
    for (std::uint8_t& touched : state.info.touched) touched = 0;
  }
  void complete() const {
    if (!call.accumulates) clear_untouched();
    ++state.periods[call.period].gradients;
  }
  void clear_untouched() const {
    for (std::size_t p = 0; p < state.info.parameters.size(); ++p) {
      if (state.info.touched[p] != 0) continue;
      auto const& place = state.info.parameters[p];
      set_zero(call.executor,
               place.unit->gradient(call.first_version + call.period, place.contributor, place.parameter));
    }
  }
};

}  // namespace weir::inline v1::detail
