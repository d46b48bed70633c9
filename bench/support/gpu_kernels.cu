#include <thrust/iterator/transform_iterator.h>

#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_reduce.cuh>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"

namespace bench {
namespace {

template <class Element>
__global__ void fill_random_kernel(Element* out, std::size_t size, unsigned seed) {
  for (std::size_t i = blockIdx.x * std::size_t{blockDim.x} + threadIdx.x; i < size;
       i += std::size_t{gridDim.x} * blockDim.x) {
    unsigned bits = (static_cast<unsigned>(i) + seed) * 747796405u + 2891336453u;
    bits = ((bits >> ((bits >> 28) + 4)) ^ bits) * 277803737u;
    bits ^= bits >> 22;
    out[i] = Element(static_cast<float>(static_cast<int>(bits)) / 2147483648.0f);
  }
}

__global__ void magnitudes_kernel(float const* in, std::size_t size, float* magnitudes, unsigned* places) {
  for (std::size_t i = blockIdx.x * std::size_t{blockDim.x} + threadIdx.x; i < size;
       i += std::size_t{gridDim.x} * blockDim.x) {
    magnitudes[i] = in[i] < 0 ? -in[i] : in[i];
    places[i] = static_cast<unsigned>(i);
  }
}

__global__ void nothing_kernel() {}

constexpr unsigned busy_threads = 256;

/// So much shared memory that no two blocks share a multiprocessor.
int more_than_half_of_shared_memory() {
  int bytes = 0;
  weir::check_cuda(
      cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerMultiprocessor, weir::current_device()),
      "cudaDeviceGetAttribute");
  return bytes / 2 + 1024;
}

__global__ void __launch_bounds__(busy_threads) busy_kernel(unsigned rounds, float* out) {
  float a = static_cast<float>(threadIdx.x);
  float b = 0.5f;
  for (unsigned round = 0; round < rounds; ++round) {
    a = a * 0.999f + b;
    b = b * 0.998f + a;
  }
  if (a + b == -1.0f || (blockIdx.x == 0 && threadIdx.x == 0)) *out = a;
}

constexpr unsigned multiply_add_threads = 256;
constexpr int multiply_add_chains = 8;
constexpr int multiply_add_steps = 16;

__global__ void __launch_bounds__(multiply_add_threads) multiply_add_kernel(unsigned rounds, float* out) {
  float sums[multiply_add_chains];
  for (int chain = 0; chain < multiply_add_chains; ++chain) sums[chain] = static_cast<float>(chain);
  float const factor = 1.0f - 1e-3f * static_cast<float>(threadIdx.x % 32);
  float const term = static_cast<float>(blockIdx.x);
  for (unsigned round = 0; round < rounds; ++round) {
#pragma unroll
    for (int step = 0; step < multiply_add_steps; ++step) {
#pragma unroll
      for (int chain = 0; chain < multiply_add_chains; ++chain) sums[chain] = fmaf(sums[chain], factor, term);
    }
  }
  float total = 0;
  for (float const sum : sums) total += sum;
  if (total == -1.0f || (blockIdx.x == 0 && threadIdx.x == 0)) *out = total;
}

struct Square {
  __host__ __device__ double operator()(float value) const {
    return static_cast<double>(value) * static_cast<double>(value);
  }
};

template <class Element>
void fill_any(cudaStream_t stream, Element* out, std::size_t size, unsigned seed) {
  fill_random_kernel<<<1024, 256, 0, stream>>>(out, size, seed);
  weir::check_cuda(cudaGetLastError(), "launch of fill_random_kernel");
}

}  // namespace

void fill_random(cudaStream_t stream, float* out, std::size_t size, unsigned seed) {
  fill_any(stream, out, size, seed);
}

void fill_random(cudaStream_t stream, weir::bfloat16* out, std::size_t size, unsigned seed) {
  fill_any(stream, out, size, seed);
}

void fill_random(cudaStream_t stream, weir::half* out, std::size_t size, unsigned seed) {
  fill_any(stream, out, size, seed);
}

void launch_nothing(cudaStream_t stream) {
  nothing_kernel<<<1, 32, 0, stream>>>();
}

void launch_busy(cudaStream_t stream, unsigned blocks, unsigned rounds, float* out) {
  static int const shared_bytes = [] {
    int const bytes = more_than_half_of_shared_memory();
    weir::check_cuda(cudaFuncSetAttribute(busy_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
                     "cudaFuncSetAttribute");
    return bytes;
  }();
  busy_kernel<<<blocks, busy_threads, static_cast<std::size_t>(shared_bytes), stream>>>(rounds, out);
  weir::check_cuda(cudaGetLastError(), "launch of busy_kernel");
}

void launch_multiply_adds(cudaStream_t stream, unsigned blocks, unsigned rounds, float* out) {
  multiply_add_kernel<<<blocks, multiply_add_threads, 0, stream>>>(rounds, out);
  weir::check_cuda(cudaGetLastError(), "launch of multiply_add_kernel");
}

double multiply_adds_of(unsigned blocks, unsigned rounds) {
  return static_cast<double>(blocks) * multiply_add_threads * multiply_add_chains * multiply_add_steps *
         rounds;
}

void cub_sum_of_squares(cudaStream_t stream, float const* in, std::size_t size, double* out, void* workspace,
                        std::size_t& bytes) {
  auto const squares = thrust::make_transform_iterator(in, Square{});
  weir::check_cuda(cub::DeviceReduce::Sum(workspace, bytes, squares, out, size, stream),
                   "cub::DeviceReduce::Sum");
}

void cub_sorted_magnitudes(cudaStream_t stream, float const* in, std::size_t size, float* magnitudes,
                           unsigned* places, float* sorted_magnitudes, unsigned* sorted_places,
                           void* workspace, std::size_t& bytes) {
  if (workspace != nullptr) {
    magnitudes_kernel<<<2048, 256, 0, stream>>>(in, size, magnitudes, places);
    weir::check_cuda(cudaPeekAtLastError(), "launch");
  }
  weir::check_cuda(cub::DeviceRadixSort::SortPairsDescending(workspace, bytes, magnitudes, sorted_magnitudes,
                                                             places, sorted_places, size, 0, 31, stream),
                   "cub::DeviceRadixSort::SortPairsDescending");
}

CopyRoof::CopyRoof(weir::CudaExecutor const& executor, std::size_t bytes)
    : half_((bytes / 2 + 255) / 256 * 256),
      sets_(rotation(2 * half_)),
      memory_(executor, 2 * half_ * sets_),
      stream_(executor.stream()) {
  fill_random(stream_, reinterpret_cast<float*>(memory_.data()), memory_.size() / sizeof(float), 1);
}

}  // namespace bench
