#pragma once

#include <cstddef>
#include <vector>

#include "cuda_desk.hpp"
#include "cuda_images.hpp"
#include "cuda_layers.hpp"
#include "cuda_losses.hpp"
#include "dataset.hpp"
#include "device_samples.hpp"
#include "mlp_kernels.hpp"
#include "network.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/stage/loss_sum.hpp"
#include "weir/tensor/buffer.hpp"
#include "weir/workers/micro.hpp"

namespace weir_train {

/// The network of `mlp.hpp` on a GPU, as `StreamWorkerPool` calls it: enqueues forward, loss and backward of
/// a micro-batch on the worker's stream.
class CudaMlp {
 public:
  using Micro = weir::Micro<weir::CudaExecutor, DeviceSamples>;

  /// Waits until images and masks are on the device.
  CudaMlp(weir::CudaExecutor const& executor, Network<float> const& network, Images const& images,
          std::size_t workers, std::size_t batch)
      : layers_(executor, network), images_(executor, images), losses_(executor, workers) {
    workers_.reserve(workers);
    while (workers_.size() < workers) workers_.emplace_back(executor, layers_, batch);
  }

  void operator()(Micro& micro) {
    Worker& worker = workers_[micro.worker()];
    cudaStream_t const stream = micro.executor().stream();
    worker.blas.use(stream);
    load_images(stream, images_.view(), micro.samples(), worker.activations[0].data());
    for (std::size_t layer = 0; layer < layers_.size(); ++layer)
      layers_.forward(layer, pass(micro, worker, layer));
    std::size_t const last = layers_.size();
    softmax_cross_entropy(stream, images_.view(), micro.samples(), worker.activations[last].data(),
                          layers_.width(last), micro.loss_scale(), worker.delta(last),
                          losses_.of(micro.worker()));
    for (std::size_t layer = last; layer-- > 0;) backward(micro, worker, layer);
  }

  /// Of the micro-batches since the last call. Waits for the executor's stream.
  weir::LossSum take_loss() { return losses_.take(); }

 private:
  struct Worker : CudaDesk {
    Worker(weir::CudaExecutor const& executor, CudaLayers const& layers, std::size_t batch)
        : CudaDesk(executor, layers, batch) {
      for (std::size_t i = 0; i <= layers.size(); ++i)
        activations.emplace_back(executor, batch * layers.width(i));
    }

    std::vector<weir::Buffer<float, weir::CudaExecutor>> activations;
  };

  CudaPass pass(Micro const& micro, Worker& worker, std::size_t layer) const {
    return {.executor = micro.executor(),
            .blas = worker.blas,
            .samples = micro.samples().size(),
            .parameters = {micro.weights(2 * layer), micro.weights(2 * layer + 1)},
            .in = worker.activations[layer].data(),
            .out = worker.activations[layer + 1].data()};
  }

  void backward(Micro& micro, Worker& worker, std::size_t layer) const {
    std::size_t const weights = 2 * layer, bias = weights + 1;
    CudaPass backwards = pass(micro, worker, layer);
    backwards.out_delta = worker.delta(layer + 1);
    if (layer != 0) backwards.in_delta = worker.delta(layer);  // nobody needs the gradient of images
    backwards.gradients = {micro.gradient(weights), micro.gradient(bias)};
    backwards.accumulate = micro.accumulate(weights);
    layers_.backward(layer, backwards);
    // The layers below do not need these parameters, so their gradients can leave while those are at work.
    micro.ready_parameter(weights);
    micro.ready_parameter(bias);
  }

  CudaLayers layers_;
  CudaImages images_;
  CudaLosses losses_;  // by worker
  std::vector<Worker> workers_;
};

}  // namespace weir_train
