#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/comm/message_pool.hpp"
#include "weir/comm/pipeline_message.hpp"
#include "weir/pipeline/pipeline_channels.hpp"
#include "weir/pipeline/stage_micro.hpp"
#include "weir/tensor/buffer.hpp"

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
  std::vector<Buffer<std::byte, E>> memory = {};  // one: activations, then the output of a recomputation
  std::size_t distance = 0;                       // bytes from one micro-batch's activations to the next
  std::byte* scratch = nullptr;
  std::vector<std::byte*> skip_data = {};  // of the call under way
  std::vector<std::byte*> skip_gradient_data = {};

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
