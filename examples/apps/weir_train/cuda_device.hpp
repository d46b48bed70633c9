#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "configuration.hpp"
#include "counting_device_memory.hpp"
#include "cuda_mlp.hpp"
#include "dataset.hpp"
#include "device_samples.hpp"
#include "network.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/stage/loss_sum.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir_train {

/// Trains an mlp on the GPU that is current. With `capture` the step of a full batch is recorded in a CUDA
/// graph and replayed; the last batch of an epoch, which may be smaller, is enqueued anew each time.
class CudaDevice {
 public:
  using Executor = weir::CudaExecutor;
  using Memory = CountingDeviceMemory;

  /// What the model needs is not taken from `memory`, as on the host.
  CudaDevice(Configuration const& configuration, Network<float> const& network, Images const& images,
             Memory& memory)
      : captures_(configuration.capture),
        executor_({.memory = &memory}),
        order_(executor_, images.size()),
        batch_(executor_, std::min(configuration.global_batch(), images.size())),
        model_(weir::CudaExecutor(executor_.stream()), network, images, configuration.workers,
               configuration.batch) {}

  Executor const& executor() const { return executor_; }

  /// Runs the steps of an epoch, with the samples in this order. Returns when they have ended.
  template <class Workers, class Sync>
  void train_epoch(Workers& workers, Sync& sync, std::span<std::uint32_t const> order) {
    weir::from_host(executor_, order, order_.view());
    for (std::size_t begin = 0; begin < order.size(); begin += batch_.size()) {
      std::size_t const count = std::min(batch_.size(), order.size() - begin);
      // To where a captured step expects it.
      weir::check_cuda(cudaMemcpyAsync(batch_.data(), order_.data() + begin, count * sizeof(std::uint32_t),
                                       cudaMemcpyDeviceToDevice, executor_.stream()),
                       "cudaMemcpyAsync");
      step(workers, sync, DeviceSamples(batch_.data(), count));
    }
    sync.wait();
    executor_.synchronize();
  }

  /// Of the steps since the last call, on this rank.
  template <class Workers>
  weir::LossSum take_loss(Workers&) {
    return model_.take_loss();
  }

 private:
  template <class Workers, class Sync>
  void step(Workers& workers, Sync& sync, DeviceSamples samples) {
    // The first step is not captured: libraries load their kernels and ranks get to know each other in it.
    bool const is_first = std::exchange(is_first_, false);
    if (!captures_ || is_first || samples.size() < batch_.size()) return sync(workers(samples, model_));
    if (!step_) step_ = weir::CudaGraph::capture(executor_, [&] { sync(workers(samples, model_)); });
    step_->replay();
    sync.replayed();
  }

  bool captures_;
  bool is_first_ = true;
  weir::CudaExecutor executor_;
  weir::Buffer<std::uint32_t, weir::CudaExecutor> order_;  // of an epoch
  weir::Buffer<std::uint32_t, weir::CudaExecutor> batch_;
  CudaMlp model_;
  std::optional<weir::CudaGraph> step_;
};

}  // namespace weir_train
