#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cublas.hpp"
#include "dataset.hpp"
#include "device_samples.hpp"
#include "masked_dense.hpp"
#include "mlp_kernels.hpp"
#include "network.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/masked_product.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/mask/linear.hpp"
#include "weir/stage/loss_sum.hpp"
#include "weir/tensor/buffer.hpp"
#include "weir/workers/micro.hpp"

namespace weir_train {

/// The network of `mlp.hpp` on a GPU, as `StreamWorkerPool` calls it: enqueues forward, loss and backward of
/// a micro-batch on the worker's stream. Weights lie as on the host: row-major, outputs x inputs, or those of
/// a mask.
class CudaMlp {
 public:
  using Micro = weir::Micro<weir::CudaExecutor, DeviceSamples>;

  /// Waits until images and masks are on the device.
  CudaMlp(weir::CudaExecutor const& executor, Network<float> const& network, Images const& images,
          std::size_t workers, std::size_t batch)
      : executor_(executor),
        widths_{network.input().size()},
        pixels_(executor, images.pixels.size()),
        labels_(executor, images.labels.size()),
        losses_(executor, workers) {
    weir::from_host(executor, std::span(images.pixels), pixels_.view());
    weir::from_host(executor, std::span(images.labels), labels_.view());
    for (std::size_t layer = 0; layer < network.layers(); ++layer) {
      widths_.push_back(network.layer(layer).output().size());
      masked_.emplace_back();
      auto const* const masked = dynamic_cast<MaskedDense<float> const*>(&network.layer(layer));
      if (masked != nullptr) masked_.back().emplace(executor, masked->linear());
    }
    images_ = {pixels_.data(), labels_.data(), images.shape.size(), images.scale};
    clear_losses();
    workers_.reserve(workers);
    while (workers_.size() < workers) workers_.emplace_back(executor, widths_, batch);
  }

  void operator()(Micro& micro) {
    Worker& worker = workers_[micro.worker()];
    cudaStream_t const stream = micro.executor().stream();
    worker.blas.use(stream);
    load_images(stream, images_, micro.samples(), worker.activations[0].data());
    for (std::size_t layer = 0; layer < layers(); ++layer) forward(micro, worker, stream, layer);
    softmax_cross_entropy(stream, images_, micro.samples(), worker.activations[layers()].data(),
                          widths_[layers()], micro.loss_scale(), worker.delta(layers()),
                          losses_.data() + micro.worker());
    for (std::size_t layer = layers(); layer-- > 0;) backward(micro, worker, stream, layer);
  }

  /// Of the micro-batches since the last call. Waits for the executor's stream.
  weir::LossSum take_loss() {
    weir::LossSum total;
    for (weir::LossSum const& loss : weir::to_host(executor_, losses_.view())) {
      total.sum += loss.sum;
      total.samples += loss.samples;
    }
    clear_losses();
    return total;
  }

 private:
  template <class Element>
  using DeviceBuffer = weir::Buffer<Element, weir::CudaExecutor>;

  /// What a worker works on; no other does at the same time.
  struct Worker {
    Worker(weir::CudaExecutor const& executor, std::vector<std::size_t> const& widths, std::size_t batch)
        : blas(executor) {
      for (std::size_t const width : widths) activations.emplace_back(executor, batch * width);
      std::size_t const widest = *std::max_element(widths.begin() + 1, widths.end());
      for (int i = 0; i < 2; ++i) deltas.emplace_back(executor, batch * widest);
    }

    /// The gradient of an activation; that of the one below lies elsewhere.
    float* delta(std::size_t activation) { return deltas[activation % 2].data(); }

    Cublas blas;
    std::vector<DeviceBuffer<float>> activations;
    std::vector<DeviceBuffer<float>> deltas;
  };

  std::size_t layers() const { return widths_.size() - 1; }

  void forward(Micro const& micro, Worker& worker, cudaStream_t stream, std::size_t layer) const {
    if (masked_[layer]) {
      return masked_[layer]->forward<float>(micro.executor(), micro.weights(2 * layer),
                                            micro.weights(2 * layer + 1), activations(micro, worker, layer),
                                            activations(micro, worker, layer + 1));
    }
    std::size_t const inputs = widths_[layer], outputs = widths_[layer + 1], samples = micro.samples().size();
    Factor const weight{micro.weights(2 * layer).data(), inputs};  // row-major: as columns it is transposed
    float* const out = worker.activations[layer + 1].data();
    worker.blas.multiply(weight.transposed(), {worker.activations[layer].data(), inputs}, outputs, samples,
                         inputs, false, out);
    add_bias(stream, activation(layer), micro.weights(2 * layer + 1).data(), outputs, samples, out);
  }

  void backward(Micro& micro, Worker& worker, cudaStream_t stream, std::size_t layer) const {
    std::size_t const weights = 2 * layer, bias = weights + 1;
    if (masked_[layer]) {
      auto const mode =
          micro.accumulate(weights) ? weir::GradientMode::accumulate : weir::GradientMode::overwrite;
      masked_[layer]->backward<float>(
          micro.executor(), micro.weights(weights), activations(micro, worker, layer),
          activations(micro, worker, layer + 1), deltas(micro, worker, layer + 1),
          deltas(micro, worker, layer), micro.gradient(weights), micro.gradient(bias), mode);
    } else {
      backward_dense(micro, worker, stream, layer);
    }
    // The layers below do not need these parameters, so their gradients can leave while those are at work.
    micro.ready_parameter(weights);
    micro.ready_parameter(bias);
  }

  void backward_dense(Micro& micro, Worker& worker, cudaStream_t stream, std::size_t layer) const {
    std::size_t const inputs = widths_[layer], outputs = widths_[layer + 1], samples = micro.samples().size();
    std::size_t const weights = 2 * layer, bias = weights + 1;
    Factor const delta{worker.delta(layer + 1), outputs};
    differentiate_bias(stream, activation(layer), worker.activations[layer + 1].data(), outputs, samples,
                       micro.accumulate(bias), worker.delta(layer + 1), micro.gradient(bias).data());
    if (layer != 0) {
      worker.blas.multiply({micro.weights(weights).data(), inputs}, delta, inputs, samples, outputs, false,
                           worker.delta(layer));
    }
    worker.blas.multiply({worker.activations[layer].data(), inputs}, delta.transposed(), inputs, outputs,
                         samples, micro.accumulate(weights), micro.gradient(weights).data());
  }

  weir::DeviceBatch<float> activations(Micro const& micro, Worker& worker, std::size_t index) const {
    return batch(micro, worker.activations[index].data(), index);
  }
  /// Null for the images, whose gradient nobody needs.
  weir::DeviceBatch<float> deltas(Micro const& micro, Worker& worker, std::size_t index) const {
    return batch(micro, index == 0 ? nullptr : worker.delta(index), index);
  }
  weir::DeviceBatch<float> batch(Micro const& micro, float* data, std::size_t index) const {
    return weir::batch_major<weir::DeviceSpace>(data, micro.samples().size(), widths_[index]);
  }

  Activation activation(std::size_t layer) const {
    return layer + 1 < layers() ? Activation::relu : Activation::none;
  }

  void clear_losses() {
    std::vector<weir::LossSum> const none(losses_.size());
    weir::from_host(executor_, std::span(none), losses_.view());
  }

  weir::CudaExecutor executor_;
  std::vector<std::size_t> widths_;  // of the activations: inputs, hidden layers, classes
  std::vector<std::optional<weir::BIBDLinear<>::Bound<weir::CudaExecutor>>> masked_ = {};  // by layer
  DeviceBuffer<std::uint8_t> pixels_;
  DeviceBuffer<std::uint8_t> labels_;
  DeviceBuffer<weir::LossSum> losses_;  // by worker
  DeviceImages images_;
  std::vector<Worker> workers_;
};

}  // namespace weir_train
