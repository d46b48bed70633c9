#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "cublas.hpp"
#include "masked_dense.hpp"
#include "mlp_kernels.hpp"
#include "network.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/masked_product.hpp"
#include "weir/mask/linear.hpp"

namespace weir_train {

/// The device memory that a layer works on for one micro-batch, and its stream.
struct CudaPass {
  weir::CudaExecutor const& executor;
  Cublas const& blas;  // of the same stream
  std::size_t samples = 0;
  std::array<weir::DeviceView<float const>, 2> parameters = {};  // weight and bias
  float const* in = nullptr;
  float* out = nullptr;

  // For backward only.
  float* out_delta = nullptr;                             // the gradient of `out`, which is changed
  float* in_delta = nullptr;                              // becomes the gradient of `in`, unless null
  std::array<weir::DeviceView<float>, 2> gradients = {};  // of the parameters
  bool accumulate = false;                                // add to them, or overwrite them
};

/// The layers of `mlp.hpp` on a GPU: enqueues what each does with a micro-batch. Has no state: several
/// streams use it at once. Weights lie as on the host: row-major, outputs x inputs, or those of a mask.
class CudaLayers {
 public:
  /// Waits until masks are on the device.
  CudaLayers(weir::CudaExecutor const& executor, Network<float> const& network)
      : widths_{network.input().size()} {
    for (std::size_t layer = 0; layer < network.layers(); ++layer) {
      widths_.push_back(network.layer(layer).output().size());
      masked_.emplace_back();
      auto const* const masked = dynamic_cast<MaskedDense<float> const*>(&network.layer(layer));
      if (masked != nullptr) masked_.back().emplace(executor, masked->linear());
    }
  }

  std::size_t size() const { return widths_.size() - 1; }
  /// Elements of an activation of one sample: of the input, of what each layer gives.
  std::size_t width(std::size_t activation) const { return widths_[activation]; }
  /// Of what any layer gives.
  std::size_t widest() const { return *std::max_element(widths_.begin() + 1, widths_.end()); }

  void forward(std::size_t layer, CudaPass const& pass) const {
    std::size_t const inputs = widths_[layer], outputs = widths_[layer + 1];
    if (masked_[layer]) {
      return masked_[layer]->forward<float>(pass.executor, pass.parameters[0], pass.parameters[1],
                                            batch(pass.in, pass, inputs), batch(pass.out, pass, outputs));
    }
    Factor const weight{pass.parameters[0].data(), inputs};  // row-major: as columns it is transposed
    pass.blas.multiply(weight.transposed(), {pass.in, inputs}, outputs, pass.samples, inputs, false,
                       pass.out);
    add_bias(pass.executor.stream(), activation(layer), pass.parameters[1].data(), outputs, pass.samples,
             pass.out);
  }

  void backward(std::size_t layer, CudaPass const& pass) const {
    std::size_t const inputs = widths_[layer], outputs = widths_[layer + 1];
    if (masked_[layer]) {
      auto const mode = pass.accumulate ? weir::GradientMode::accumulate : weir::GradientMode::overwrite;
      return masked_[layer]->backward<float>(
          pass.executor, pass.parameters[0], batch(pass.in, pass, inputs),
          batch<float const>(pass.out, pass, outputs), batch(pass.out_delta, pass, outputs),
          batch(pass.in_delta, pass, inputs), pass.gradients[0], pass.gradients[1], mode);
    }
    Factor const delta{pass.out_delta, outputs};
    differentiate_bias(pass.executor.stream(), activation(layer), pass.out, outputs, pass.samples,
                       pass.accumulate, pass.out_delta, pass.gradients[1].data());
    if (pass.in_delta != nullptr) {
      pass.blas.multiply({pass.parameters[0].data(), inputs}, delta, inputs, pass.samples, outputs, false,
                         pass.in_delta);
    }
    pass.blas.multiply({pass.in, inputs}, delta.transposed(), inputs, outputs, pass.samples, pass.accumulate,
                       pass.gradients[0].data());
  }

 private:
  template <class Element>
  static weir::DeviceBatch<Element> batch(Element* data, CudaPass const& pass, std::size_t width) {
    return weir::batch_major<weir::DeviceSpace>(data, pass.samples, width);
  }

  Activation activation(std::size_t layer) const {
    return layer + 1 < size() ? Activation::relu : Activation::none;
  }

  std::vector<std::size_t> widths_;  // of the activations: inputs, hidden layers, classes
  std::vector<std::optional<weir::BIBDLinear<>::Bound<weir::CudaExecutor>>> masked_ = {};  // by layer
};

}  // namespace weir_train
