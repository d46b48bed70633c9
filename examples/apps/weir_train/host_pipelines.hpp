#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "configuration.hpp"
#include "counting_memory.hpp"
#include "dataset.hpp"
#include "network.hpp"
#include "network_cut.hpp"
#include "pipeline_shares.hpp"
#include "pipeline_stages.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/loss_sum.hpp"
#include "weir/stage/recipe.hpp"

namespace weir_train {

/// Trains pipelines on the processor, on a thread for each of their workers.
class HostPipelines {
 public:
  using Executor = weir::HostExecutor;
  using Memory = CountingMemory;
  using Communicator = weir::ThreadCommunicator;

  HostPipelines(Configuration const& c, Network<float> const& network, Images const& images,
                NetworkCut const& cut, PipelineShares const&, Memory& memory)
      : stages_(network, images, cut, c.batch, std::min(c.threads, c.workers * c.pipeline->workers)),
        executor_({.threads = c.threads, .memory = &memory}) {}

  Executor const& executor() const { return executor_; }

  /// That share a sum: their samples are counted.
  static std::size_t replicas(Configuration const&) { return 0; }

  /// Whether what operations and updates take is measured.
  static constexpr bool measures_times = true;

  /// What connects the ranks that sum a stage. The stages have a thread each for that.
  template <class Ranks>
  static Ranks ranks_of_stage(Ranks const& ranks) {
    return ranks.split(0, ranks.rank());
  }

  /// What connects the pipelines of a rank.
  static std::vector<Communicator> connect(std::size_t pipelines) { return Communicator::group(pipelines); }
  /// From what a stage of one of them gives to the sum of all.
  static auto local_sum(Communicator const& pipelines) {
    return weir::LocalAggregator{} | weir::AllReduce{pipelines};
  }

  /// Gives a pipeline its samples.
  class Feed {
   public:
    Feed(HostPipelines& device, Executor const&) : stages_(device.stages_) {}

    void begin_epoch(std::vector<std::uint32_t> samples) { samples_ = std::move(samples); }
    std::size_t samples() const { return samples_.size(); }

    template <class Pipe, class Sync>
    void run(Pipe& pipe, Sync& sync, PipelineShares::Piece const& piece) {
      sync(pipe(std::span<std::uint32_t const>(samples_).subspan(piece.begin, piece.size), stages_));
    }

    /// Returns when all runs have ended.
    template <class Pipe, class Sync>
    weir::LossSum end_epoch(Pipe& pipe, Sync& sync) {
      sync.drain();
      return pipe.take_loss();
    }

   private:
    PipelineStages& stages_;
    std::vector<std::uint32_t> samples_ = {};  // of the epoch
  };

 private:
  PipelineStages stages_;
  Executor executor_;
};

}  // namespace weir_train
