#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "configuration.hpp"
#include "counting_device_memory.hpp"
#include "cuda_stages.hpp"
#include "dataset.hpp"
#include "device_samples.hpp"
#include "network.hpp"
#include "network_cut.hpp"
#include "pipeline_shares.hpp"
#include "weir/comm/self.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/stage/loss_sum.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir_train {

/// Trains a pipeline of an mlp on the GPU that is current, on a stream for each of its workers. With
/// `capture` a run of full micro-batches on all ranks is recorded in a CUDA graph and replayed; any other is
/// enqueued anew each time.
class CudaPipelines {
 public:
  using Executor = weir::CudaExecutor;
  using Memory = CountingDeviceMemory;
  using Communicator = weir::SelfCommunicator;

  /// What the stages need is not taken from `memory`, as on the host.
  CudaPipelines(Configuration const& c, Network<float> const& network, Images const& images,
                NetworkCut const& cut, PipelineShares const& shares, Memory& memory)
      : samples_(images.size()),
        captured_samples_(c.capture ? shares.samples_per_run() : 0),
        executor_({.memory = &memory}),
        stages_(weir::CudaExecutor(executor_.stream()), network, images, cut, c.pipeline->workers, c.batch) {}

  Executor const& executor() const { return executor_; }

  /// That share a sum. A device cannot wait until they are counted.
  static std::size_t replicas(Configuration const& c) { return c.ranks * c.workers; }

  static constexpr bool measures_times = false;

  /// There is one.
  static std::vector<Communicator> connect(std::size_t pipelines) {
    return std::vector<Communicator>(pipelines);
  }
  static auto local_sum(Communicator const&) { return weir::LocalAggregator{}; }

  /// What connects the ranks that sum a stage: one communicator for all stages. The thread of a rank enqueues
  /// all of its work, in an order that follows from the table alone, so that all ranks call their collectives
  /// in one order; also those by which they get to know each other's layouts, when the stages are bound, one
  /// after another. A communicator runs them in that order, on whatever streams they are. Those of several
  /// communicators would wait for each other, crosswise, where the GPUs have no room for all.
  template <class Ranks>
  static Ranks ranks_of_stage(Ranks const& ranks) {
    return ranks;
  }

  /// Gives the pipeline its samples.
  class Feed {
   public:
    /// `executor` is the one that the pipeline is made of.
    Feed(CudaPipelines& device, Executor const& executor)
        : stages_(device.stages_),
          executor_(executor),
          order_(executor, device.samples_),
          batch_(executor, device.captured_samples_) {}

    void begin_epoch(std::vector<std::uint32_t> const& samples) {
      size_ = samples.size();
      weir::from_host(executor_, std::span(samples), order_.view().part(0, size_));
    }
    std::size_t samples() const { return size_; }

    template <class Pipe, class Sync>
    void run(Pipe& pipe, Sync& sync, PipelineShares::Piece const& piece) {
      DeviceSamples const samples(order_.data() + piece.begin, piece.size);
      // The first run is not captured: libraries load their kernels and ranks get to know each other in it.
      bool const is_first = std::exchange(is_first_, false);
      if (is_first || batch_.size() == 0 || !piece.is_whole) {
        count_replays(sync);
        return sync(pipe(samples, stages_, piece.size_of_all));
      }
      // To where the captured run expects it.
      weir::check_cuda(
          cudaMemcpyAsync(batch_.data(), samples.indices(), samples.size() * sizeof(std::uint32_t),
                          cudaMemcpyDeviceToDevice, executor_.stream()),
          "cudaMemcpyAsync");
      if (!graph_) {
        DeviceSamples const batch(batch_.data(), batch_.size());
        graph_ = weir::CudaGraph::capture(executor_, [&] { sync(pipe(batch, stages_, piece.size_of_all)); });
      }
      graph_->replay();
      ++replays_;
    }

    /// Returns when all runs have ended.
    template <class Pipe, class Sync>
    weir::LossSum end_epoch(Pipe&, Sync& sync) {
      count_replays(sync);
      sync.drain();
      return stages_.take_loss();
    }

   private:
    /// A graph does not tell, and to be told takes a wait.
    template <class Sync>
    void count_replays(Sync& sync) {
      if (replays_ != 0) sync.replayed(std::exchange(replays_, 0));
    }

    CudaStages& stages_;
    weir::CudaExecutor executor_;
    weir::Buffer<std::uint32_t, weir::CudaExecutor> order_;  // of an epoch
    std::size_t size_ = 0;
    weir::Buffer<std::uint32_t, weir::CudaExecutor> batch_;  // of a captured run, if there is one
    bool is_first_ = true;
    std::optional<weir::CudaGraph> graph_ = {};
    std::uint64_t replays_ = 0;  // that have not been counted
  };

 private:
  std::size_t samples_;
  std::size_t captured_samples_;
  weir::CudaExecutor executor_;
  CudaStages stages_;
};

}  // namespace weir_train
