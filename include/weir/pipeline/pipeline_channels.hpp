#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/message_pool.hpp"
#include "weir/comm/pipeline_transport.hpp"
#include "weir/core/error.hpp"
#include "weir/pipeline/edge_sparsifier.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/rounded_message.hpp"
#include "weir/pipeline/sparse_channel.hpp"
#include "weir/pipeline/stage_micro.hpp"
#include "weir/pipeline/table_hash.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1::detail {

/// The ways that messages take between lanes, and the buffers on them.
template <Executor E, class Real>
class PipelineChannels {
 public:
  static constexpr std::size_t no_edge = static_cast<std::size_t>(-1);

  struct Channel {
    std::uint32_t from = 0;  // lanes
    std::uint32_t to = 0;
    bool is_forward = true;
    std::uint16_t link = 0;
    std::size_t edge = no_edge;  // none where both lanes are on one worker
    EdgeCodec codec = EdgeCodec::none;
    MessageLayout const* layout = nullptr;
    std::unique_ptr<MessagePool> pool = nullptr;
    std::unique_ptr<MessagePool> arrivals = nullptr;           // where the transport copies
    std::unique_ptr<SparseChannel<E, Real>> sparse = nullptr;  // where the codec is
  };
  /// Of a transport that copies.
  struct Copies {
    enum class Made : std::uint8_t { never, between_places, between_workers };

    Made made = Made::never;
    std::size_t trailer_bytes = 0;
    std::size_t prefetch = 0;  // between workers: of each
  };

  PipelineChannels(LaneMap const& lanes, PipelineOptions const& options,
                   EdgeSparsifier<E, Real> const& sparsifier = {})
      : lanes_(lanes),
        skips_(options.skip_edges),
        sparsifier_(sparsifier),
        local_batch_(options.local_batch),
        neighbours_(2 * lanes.lanes(), none) {
    lay_out(options);
    for (std::uint32_t direction = 0; direction < lanes.directions(); ++direction) {
      for (std::uint32_t stage = 0; stage + 1 < lanes.stages(); ++stage) {
        std::uint32_t const lane = lanes.lane(direction, stage);
        if (!lanes.has(lane)) continue;
        neighbours_[2 * lane] = add({lane, lane + 1, true, 0});
        neighbours_[2 * (lane + 1) + 1] = add({lane + 1, lane, false, 0});
      }
      for (std::size_t k = 0; k < skips_.size(); ++k) {
        std::uint32_t const from = lanes.lane(direction, skips_[k].from);
        std::uint32_t const to = lanes.lane(direction, skips_[k].to);
        auto const link = static_cast<std::uint16_t>(k + 1);
        skip_channels_.push_back(lanes.has(from) ? add({from, to, true, link}) : none);
        skip_channels_.push_back(lanes.has(from) ? add({to, from, false, link}) : none);
      }
    }
  }

  std::vector<PipelineEdge>& edges() { return edges_; }
  std::vector<PipelineEdge> const& edges() const { return edges_; }
  Channel& operator[](std::size_t channel) { return channels_[channel]; }
  std::size_t size() const { return channels_.size(); }

  /// The channel by which a lane hands on its output, and by which the gradient of its input; null at the
  /// ends of the model.
  Channel* forward(std::size_t lane) { return at(neighbours_[2 * lane]); }
  Channel* backward(std::size_t lane) { return at(neighbours_[2 * lane + 1]); }
  Channel* skip(std::size_t direction, std::size_t k, bool is_forward) {
    return at(skip_channels_[2 * (direction * skips_.size() + k) + (is_forward ? 0 : 1)]);
  }

  MessageTag tag(std::uint32_t run, Operation const& operation, Channel const& channel) const {
    return {run,          operation.micro_batch, static_cast<std::uint16_t>(lanes_.stage(channel.from)),
            channel.link, channel.is_forward,    operation.direction};
  }

  /// What a message of the channel is without its micro-batch: "2F", "2B", "0F of skip edge 1".
  std::string name(Channel const& channel) const {
    std::string name = std::to_string(lanes_.stage(channel.from)) + (channel.is_forward ? "F" : "B");
    if (lanes_.direction(channel.from) != 0) name += 'r';
    if (channel.link != 0) name += " of skip edge " + std::to_string(channel.link - 1);
    return name;
  }

  /// Of a message on its way, in a run that trains.
  static std::size_t bytes_sent(Channel const& channel) {
    return channel.sparse != nullptr ? channel.sparse->bytes()
                                     : encoded_bytes<Real>(channel.codec, channel.layout->bytes);
  }

  /// A hash of the table and of what its messages are.
  std::uint64_t layout(TableView const& table, std::size_t local_batch) const {
    std::uint64_t hash = layout_hash(table_hash(table), local_batch);
    for (Channel const& channel : channels_) {
      hash = layout_hash(layout_hash(hash, channel.layout->bytes), static_cast<std::uint64_t>(channel.codec));
      if (channel.sparse != nullptr) hash = layout_hash(hash, channel.sparse->bytes());
    }
    return hash;
  }

  MessageLayout const& outputs(std::size_t stage) const { return outputs_[stage]; }
  MessageLayout const& gradients(std::size_t stage) const { return gradients_[stage]; }

  /// Whether what a channel carries is in another buffer where it arrives.
  bool is_copied(Channel const& channel, Copies const& copies) const {
    if (channel.edge == no_edge) return false;
    return copies.made == Copies::Made::between_workers ||
           (copies.made == Copies::Made::between_places && !lanes_.shares_memory(channel.from, channel.to));
  }

  /// Takes the buffers: as many as can be on the edges, with the receivers, and in the sender's hand; where
  /// the transport copies, up to the edge and from there on. `executor_of(worker)` has the memory.
  template <class ExecutorOf, class Capacity, class Records>
  void allocate(ExecutorOf const& executor_of, std::vector<StageLayout> const& stages,
                Capacity const& capacity, Records const& records, Copies const& copies = {}) {
    auto const on_the_way = [&](Channel& channel, bool has_arrived) {
      std::size_t count = 0;
      for (Channel* next = &channel; next != nullptr;) {
        if (next->edge != no_edge && !(has_arrived && next == &channel)) {
          count += capacity(next->edge);
          if (is_copied(*next, copies)) break;
        }
        count += records(next->to);
        bool const goes_on = channel.link == 0 && stages[lanes_.stage(next->to)].is_empty;
        next = !goes_on ? nullptr : channel.is_forward ? forward(next->to) : backward(next->to);
      }
      return count;
    };
    auto const pool = [&](Channel const& channel, std::uint32_t lane, std::size_t count) {
      std::size_t const bytes = channel.layout->bytes + copies.trailer_bytes;
      E const& executor = executor_of(lanes_.worker(lane));
      memory_.emplace_back(executor, count * bytes);
      // Short messages and what is between tensors travel, too.
      if constexpr (!HostOrderedExecutor<E>) {
        if (copies.made == Copies::Made::between_places) {
          set_zero(executor, ViewOn<Real, E>(reinterpret_cast<Real*>(memory_.back().data()),
                                             count * bytes / sizeof(Real)));
          executor.synchronize();
        }
      }
      owners_.insert(owners_.end(), count, lanes_.worker(lane));
      return std::make_unique<MessagePool>(memory_.back().data(), bytes, count, owners_.size() - count);
    };
    for (Channel& channel : channels_) {
      if (channel.sparse != nullptr) open_ends(channel, executor_of);
      std::size_t const stage = lanes_.stage(channel.from);
      bool const begins_here = channel.link != 0 || !stages[stage].is_empty ||
                               (channel.is_forward ? stage == 0 : stage + 1 == stages.size());
      // Else it passes on what it gets.
      if (begins_here && lanes_.is_here(channel.from))
        channel.pool = pool(channel, channel.from, 1 + on_the_way(channel, false));
      if (!is_copied(channel, copies) || !lanes_.is_here(channel.to)) continue;
      std::size_t const early =
          copies.made == Copies::Made::between_places ? capacity(channel.edge) : copies.prefetch;
      channel.arrivals = pool(channel, channel.to, early + on_the_way(channel, true));
    }
  }

  /// What has been taken. Units: bytes.
  std::size_t workspace_bytes() const {
    std::size_t bytes = 0;
    for (auto const& memory : memory_) bytes += memory.size();
    for (Channel const& channel : channels_)
      bytes += channel.sparse == nullptr ? 0 : channel.sparse->workspace_bytes();
    return bytes;
  }

  /// The workers in whose memory the buffers of all pools are, by the buffer's number.
  std::vector<std::uint32_t> const& owners() const { return owners_; }

  void refill() noexcept {
    for (Channel& channel : channels_) {
      if (channel.pool != nullptr) channel.pool->refill();
      if (channel.arrivals != nullptr) channel.arrivals->refill();
    }
  }

  /// Leaves the buffers to whoever may still use them.
  void abandon() noexcept { (void)new std::vector<Buffer<std::byte, E>>(std::move(memory_)); }

 private:
  template <class ExecutorOf>
  void open_ends(Channel& channel, ExecutorOf const& executor_of) {
    if (lanes_.is_here(channel.from)) channel.sparse->open_sender(executor_of(lanes_.worker(channel.from)));
    if (lanes_.is_here(channel.to)) channel.sparse->open_receiver(executor_of(lanes_.worker(channel.to)));
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  Channel* at(std::size_t channel) { return channel == none ? nullptr : &channels_[channel]; }

  void lay_out(PipelineOptions const& options) {
    std::vector<EdgeTensor> tensors;
    EdgeCodec codec = EdgeCodec::none;
    for (StageLayout const& stage : options.stages) {
      if (!stage.is_empty) {
        tensors = stage.outputs;
        codec = stage.codec;
      }
      codecs_.push_back(codec);
      outputs_.emplace_back();
      gradients_.emplace_back();
      for (EdgeTensor const& tensor : tensors) {
        append(outputs_.back(), tensor.elements, options.local_batch);
        append(gradients_.back(), tensor.has_gradient ? tensor.elements : 0, options.local_batch);
      }
    }
  }

  static void append(MessageLayout& layout, std::size_t elements, std::size_t samples) {
    constexpr std::size_t line = 64;
    layout.elements.push_back(elements);
    layout.offsets.push_back(layout.bytes);
    layout.bytes += (elements * samples * sizeof(Real) + line - 1) / line * line;
  }

  std::size_t add(Channel channel) {
    std::uint32_t const source = channel.is_forward ? channel.from : channel.to;
    channel.layout = channel.is_forward ? &outputs_[lanes_.stage(source)] : &gradients_[lanes_.stage(source)];
    if (!lanes_.is_local(channel.from, channel.to)) {
      channel.codec = codecs_[lanes_.stage(source)];
      channel.edge = edge(lanes_.worker(channel.from), lanes_.worker(channel.to), channel.is_forward);
      if (channel.codec == EdgeCodec::sparse) make_sparse(channel);
    }
    channels_.push_back(std::move(channel));
    return channels_.size() - 1;
  }

  void make_sparse(Channel& channel) const {
    try {
      channel.sparse = std::make_unique<SparseChannel<E, Real>>(sparsifier_, *channel.layout, local_batch_);
    } catch (ContractViolation const& error) {  // which speaks of buckets: each tensor is one
      throw ContractViolation("InterleavedPipeline: the tensors of " + name(channel) + ": " + error.what());
    }
  }

  std::size_t edge(std::uint32_t from, std::uint32_t to, bool is_forward) {
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      if (edges_[i].from == from && edges_[i].to == to && edges_[i].is_forward == is_forward) return i;
    }
    edges_.push_back({from, to, is_forward});
    return edges_.size() - 1;
  }

  LaneMap const& lanes_;
  std::vector<SkipEdge> skips_;
  EdgeSparsifier<E, Real> sparsifier_;
  std::size_t local_batch_;
  std::vector<MessageLayout> outputs_;    // by stage
  std::vector<MessageLayout> gradients_;  // of these outputs
  std::vector<EdgeCodec> codecs_;         // of both
  std::vector<PipelineEdge> edges_;
  std::vector<Channel> channels_;
  std::vector<std::size_t> neighbours_;  // by lane: forward, backward
  std::vector<std::size_t> skip_channels_;
  std::vector<Buffer<std::byte, E>> memory_;
  std::vector<std::uint32_t> owners_;
};

}  // namespace weir::inline v1::detail
