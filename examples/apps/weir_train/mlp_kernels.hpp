#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "activation.hpp"
#include "device_samples.hpp"
#include "weir/exec/loss_factor.hpp"
#include "weir/stage/loss_sum.hpp"

// What an mlp does on a GPU besides products of matrices: each function launches one kernel on the stream,
// which has no atomic operation, so that it gives the same bits each time. Pointers are to device memory;
// activations have a column, which lies in one piece, for each sample. Errors: `CudaError`.

namespace weir_train {

/// Labelled images in device memory.
struct DeviceImages {
  std::uint8_t const* pixels = nullptr;
  std::uint8_t const* labels = nullptr;
  std::size_t pixels_each = 0;
  float scale = 1.0f;  // maps the bytes to [0, 1]
};

/// `out`, pixels x samples.
void load_images(cudaStream_t stream, DeviceImages const& images, DeviceSamples const& samples, float* out);

/// `values = activation(values + bias)`, outputs x samples.
void add_bias(cudaStream_t stream, Activation activation, float const* bias, std::size_t outputs,
              std::size_t samples, float* values);

/// The gradients of `out` in `delta` become those of what `activation` was applied to; `gradient`, that of
/// the bias, becomes their sum over samples, or has it added.
void differentiate_bias(cudaStream_t stream, Activation activation, float const* out, std::size_t outputs,
                        std::size_t samples, bool accumulate, float* delta, float* gradient);

/// Adds the loss of the samples with these `logits`, classes x samples, to `loss`. Writes the gradient of
/// `factor` times their mean loss.
void softmax_cross_entropy(cudaStream_t stream, DeviceImages const& images, DeviceSamples const& samples,
                           float const* logits, std::size_t classes, weir::LossFactor const& factor,
                           float* gradient, weir::LossSum* loss);

}  // namespace weir_train
