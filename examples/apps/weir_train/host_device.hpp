#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "configuration.hpp"
#include "counting_memory.hpp"
#include "dataset.hpp"
#include "model.hpp"
#include "network.hpp"
#include "shared_threads.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/loss_sum.hpp"

namespace weir_train {

/// Trains on the processor.
class HostDevice {
 public:
  using Executor = weir::HostExecutor;
  using Memory = CountingMemory;

  HostDevice(Configuration const& configuration, Network<float> const& network, Images const& images,
             Memory& memory)
      : batch_(configuration.global_batch()),
        has_thread_each_(configuration.workers <= configuration.threads),
        model_(network, images, configuration.workers, configuration.batch),
        shared_model_(model_, configuration.threads),
        executor_({.threads = configuration.threads, .memory = &memory}) {}

  Executor const& executor() const { return executor_; }

  /// Runs the steps of an epoch, with the samples in this order. Returns when they have ended.
  template <class Workers, class Sync>
  void train_epoch(Workers& workers, Sync& sync, std::span<std::uint32_t const> order) {
    for (std::size_t begin = 0; begin < order.size(); begin += batch_)
      step(workers, sync, order.subspan(begin, std::min(batch_, order.size() - begin)));
    sync.wait();
    executor_.synchronize();
  }

  /// Starts one step.
  template <class Workers, class Sync>
  void step(Workers& workers, Sync& sync, std::span<std::uint32_t const> samples) {
    if (has_thread_each_) {
      sync(workers(samples, model_));
    } else {
      sync(workers(samples, shared_model_));
    }
  }

  /// Of the steps since the last call, on this rank.
  template <class Workers>
  weir::LossSum take_loss(Workers& workers) {
    keep_loss(workers);
    return std::exchange(kept_, {});
  }

  /// For the next `take_loss`, before workers go.
  template <class Workers>
  void keep_loss(Workers& workers) {
    weir::LossSum const loss = workers.take_loss();
    kept_.sum += loss.sum;
    kept_.samples += loss.samples;
  }

 private:
  std::size_t batch_;
  bool has_thread_each_;
  Model<float> model_;
  SharedThreads<Model<float>> shared_model_;
  weir::HostExecutor executor_;
  weir::LossSum kept_;
};

}  // namespace weir_train
