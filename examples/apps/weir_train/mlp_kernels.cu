#include <algorithm>

#include "mlp_kernels.hpp"
#include "mlp_math.hpp"
#include "weir/cuda/check.hpp"

namespace weir_train {
namespace {

constexpr unsigned block = 256;

/// Enough blocks for an element per thread, up to what fills any GPU; a thread may take several.
unsigned blocks(std::size_t elements) {
  constexpr std::size_t most = 4096;
  return static_cast<unsigned>(std::min((elements + block - 1) / block, most));
}

__device__ std::size_t first() {
  return std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
}
__device__ std::size_t stride() {
  return std::size_t{gridDim.x} * blockDim.x;
}

__global__ void load_images_kernel(DeviceImages images, std::uint32_t const* indices, std::size_t elements,
                                   float* out) {
  for (std::size_t i = first(); i < elements; i += stride()) {
    std::size_t const sample = i / images.pixels_each;
    std::size_t const pixel = i - sample * images.pixels_each;
    out[i] = static_cast<float>(images.pixels[indices[sample] * images.pixels_each + pixel]) * images.scale;
  }
}

__global__ void add_bias_kernel(Activation activation, float const* bias, std::size_t outputs,
                                std::size_t elements, float* values) {
  for (std::size_t i = first(); i < elements; i += stride())
    values[i] = activate(activation, values[i] + bias[i % outputs]);
}

// A block sums `sum_columns` outputs: each of its rows every `sum_rows`-th sample, then the first the rows.
constexpr unsigned sum_columns = 32;
constexpr unsigned sum_rows = 8;

__global__ void differentiate_bias_kernel(Activation activation, float const* out, std::size_t outputs,
                                          std::size_t samples, bool accumulate, float* delta,
                                          float* gradient) {
  __shared__ float partial[sum_rows][sum_columns];
  std::size_t const output = std::size_t{blockIdx.x} * sum_columns + threadIdx.x;
  float sum = 0.0f;
  if (output < outputs) {
    for (std::size_t sample = threadIdx.y; sample < samples; sample += sum_rows) {
      std::size_t const i = sample * outputs + output;
      delta[i] = differentiate(activation, out[i], delta[i]);
      sum += delta[i];
    }
  }
  partial[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || output >= outputs) return;
  for (unsigned row = 1; row < sum_rows; ++row) sum += partial[row][threadIdx.x];
  gradient[output] = accumulate ? gradient[output] + sum : sum;
}

/// One block.
__global__ void softmax_cross_entropy_kernel(DeviceImages images, std::uint32_t const* indices,
                                             std::size_t samples, float const* logits, std::size_t classes,
                                             weir::LossFactor factor, float* gradient, weir::LossSum* loss) {
  __shared__ double partial[block];
  float const per_sample = factor_per_sample(factor, samples);
  double sum = 0.0;
  for (std::size_t sample = threadIdx.x; sample < samples; sample += block) {
    sum += softmax_cross_entropy(logits + sample * classes, classes, images.labels[indices[sample]],
                                 per_sample, gradient + sample * classes);
  }
  partial[threadIdx.x] = sum;
  for (unsigned half = block / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
  }
  if (threadIdx.x != 0) return;
  loss->sum += partial[0];
  loss->samples += samples;
}

void check_launch(char const* kernel, weir::Where where = weir::Where::here()) {
  weir::check_cuda(cudaGetLastError(), kernel, where);
}

}  // namespace

void load_images(cudaStream_t stream, DeviceImages const& images, DeviceSamples const& samples, float* out) {
  std::size_t const elements = samples.size() * images.pixels_each;
  load_images_kernel<<<blocks(elements), block, 0, stream>>>(images, samples.indices(), elements, out);
  check_launch("load_images");
}

void add_bias(cudaStream_t stream, Activation activation, float const* bias, std::size_t outputs,
              std::size_t samples, float* values) {
  std::size_t const elements = outputs * samples;
  add_bias_kernel<<<blocks(elements), block, 0, stream>>>(activation, bias, outputs, elements, values);
  check_launch("add_bias");
}

void differentiate_bias(cudaStream_t stream, Activation activation, float const* out, std::size_t outputs,
                        std::size_t samples, bool accumulate, float* delta, float* gradient) {
  auto const grid = static_cast<unsigned>((outputs + sum_columns - 1) / sum_columns);
  differentiate_bias_kernel<<<grid, dim3(sum_columns, sum_rows), 0, stream>>>(
      activation, out, outputs, samples, accumulate, delta, gradient);
  check_launch("differentiate_bias");
}

void softmax_cross_entropy(cudaStream_t stream, DeviceImages const& images, DeviceSamples const& samples,
                           float const* logits, std::size_t classes, weir::LossFactor const& factor,
                           float* gradient, weir::LossSum* loss) {
  softmax_cross_entropy_kernel<<<1, block, 0, stream>>>(images, samples.indices(), samples.size(), logits,
                                                        classes, factor, gradient, loss);
  check_launch("softmax_cross_entropy");
}

}  // namespace weir_train
