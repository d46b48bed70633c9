#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "cuda_desk.hpp"
#include "cuda_images.hpp"
#include "cuda_layers.hpp"
#include "cuda_losses.hpp"
#include "dataset.hpp"
#include "device_samples.hpp"
#include "mlp_kernels.hpp"
#include "network.hpp"
#include "network_cut.hpp"
#include "weir/core/error.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/exec/loss_factor.hpp"
#include "weir/pipeline/stage_micro.hpp"
#include "weir/stage/loss_sum.hpp"

namespace weir_train {

/// What a pipeline on a GPU calls, for all of its stages: enqueues the forward of the layers of `mlp.hpp`,
/// the loss behind the last one, the backward.
class CudaStages {
 public:
  using Micro = weir::StageMicro<weir::CudaExecutor, DeviceSamples>;

  /// Waits until images and masks are on the device. So many streams call it.
  CudaStages(weir::CudaExecutor const& executor, Network<float> const& network, Images const& images,
             NetworkCut cut, std::size_t streams, std::size_t batch)
      : cut_(std::move(cut)),
        layers_(executor, network),
        images_(executor, images),
        losses_(executor, streams) {
    desks_.reserve(streams);
    while (desks_.size() < streams) desks_.emplace_back(executor, layers_, batch, cut_.most_layers());
  }

  void forward(Micro& micro) {
    weir::LayerRange const range = cut_[micro.stage()];
    Desk& desk = desk_of(micro.executor());
    float* const logits_gradient = lay_out(micro, range, desk);
    if (range.first == 0) load_images(desk.stream, images_.view(), micro.samples(), micro.saved().data());
    for (std::size_t layer = range.first; layer < range.end; ++layer)
      layers_.forward(layer, pass(micro, range, desk, layer));
    float const* const out = desk.outputs[range.size() - 1];
    if (cut_.is_last(range)) {
      softmax_cross_entropy(desk.stream, images_.view(), micro.samples(), out, layers_.width(range.end),
                            weir::LossFactor{micro.loss_scale()}, logits_gradient, losses_.of(desk.index));
    } else {
      copy(micro.executor(), weir::DeviceView<float const>(out, micro.output().size()), micro.output());
    }
  }

  void backward(Micro& micro) {
    weir::LayerRange const range = cut_[micro.stage()];
    Desk& desk = desk_of(micro.executor());
    float* delta = lay_out(micro, range, desk);
    if (!cut_.is_last(range)) {
      delta = desk.delta(range.end);
      auto const from_next = micro.output_gradient();
      copy(micro.executor(), from_next, weir::DeviceView<float>(delta, from_next.size()));
    }
    for (std::size_t layer = range.end; layer-- > range.first;) {
      std::size_t const weights = 2 * (layer - range.first);
      CudaPass backwards = pass(micro, range, desk, layer);
      backwards.out_delta = delta;
      backwards.in_delta = layer > range.first ? desk.delta(layer)
                           : range.first == 0  ? nullptr
                                               : micro.input_gradient().data();
      backwards.gradients = {micro.gradient(weights), micro.gradient(weights + 1)};
      backwards.accumulate = micro.accumulate();
      layers_.backward(layer, backwards);
      delta = backwards.in_delta;
    }
  }

  /// Of the micro-batches since the last call. Waits for the executor's stream.
  weir::LossSum take_loss() { return losses_.take(); }

 private:
  /// Of a stream.
  struct Desk : CudaDesk {
    Desk(weir::CudaExecutor const& executor, CudaLayers const& layers, std::size_t batch, std::size_t most)
        : CudaDesk(executor, layers, batch), outputs(most) {}

    cudaStream_t stream = nullptr;  // none yet
    std::size_t index = 0;
    float const* in = nullptr;    // of the call under way
    std::vector<float*> outputs;  // by layer of its stage
  };

  Desk& desk_of(weir::CudaExecutor const& executor) {
    cudaStream_t const stream = executor.stream();
    for (std::size_t i = 0; i < desks_.size(); ++i) {
      Desk& desk = desks_[i];
      if (desk.stream == nullptr) {
        desk.stream = stream;
        desk.index = i;
        desk.blas.use(stream);
      }
      if (desk.stream == stream) return desk;
    }
    throw weir::ContractViolation("CudaStages: called on more than " + std::to_string(desks_.size()) +
                                  " streams");
  }

  /// Places the activations of a micro-batch in the memory of its stage. Returns where the gradient of the
  /// logits goes, in the last stage.
  float* lay_out(Micro const& micro, weir::LayerRange const& range, Desk& desk) const {
    std::size_t const samples = micro.samples().size();
    float* free = micro.saved().data();
    auto const take = [&](std::size_t activation) {
      return std::exchange(free, free + NetworkCut::padded(samples * layers_.width(activation)));
    };
    desk.in = range.first == 0 ? take(0) : micro.input().data();
    for (std::size_t layer = range.first; layer < range.end; ++layer)
      desk.outputs[layer - range.first] = take(layer + 1);
    return free;
  }

  static CudaPass pass(Micro const& micro, weir::LayerRange const& range, Desk& desk, std::size_t layer) {
    std::size_t const place = layer - range.first;
    return {.executor = micro.executor(),
            .blas = desk.blas,
            .samples = micro.samples().size(),
            .parameters = {micro.weights(2 * place), micro.weights(2 * place + 1)},
            .in = place == 0 ? desk.in : desk.outputs[place - 1],
            .out = desk.outputs[place]};
  }

  NetworkCut cut_;
  CudaLayers layers_;
  CudaImages images_;
  CudaLosses losses_;
  std::vector<Desk> desks_;
};

}  // namespace weir_train
