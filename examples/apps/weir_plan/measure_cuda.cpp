#if WEIR_PLAN_WITH_CUDA
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "measure.hpp"
#include "measure_step.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/executor.hpp"
#include "weir_train/count_gpus.hpp"
#include "weir_train/cuda_mlp.hpp"

namespace weir_plan {
namespace {

constexpr std::size_t most_workers = 8;

std::string gpu_name() {
  weir_train::count_gpus();
  cudaDeviceProp properties = {};
  weir::check_cuda(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  return properties.name;
}

/// The network of weir-train for as many workers as are asked for. It knows no parts.
class MeasuredCudaMlp {
 public:
  MeasuredCudaMlp(weir::CudaExecutor const& executor, BuiltIn const& built_in, std::size_t batch)
      : executor_(executor), network_(built_in.network), images_(built_in.data.train), batch_(batch) {}

  void resize(std::size_t workers) {
    executor_.synchronize();
    mlp_.reset();
    mlp_.emplace(executor_, network_, images_, workers, batch_);
  }

  void operator()(weir_train::CudaMlp::Micro& micro) { (*mlp_)(micro); }

 private:
  weir::CudaExecutor executor_;
  weir_train::Network<float> const& network_;
  weir_train::Images const& images_;
  std::size_t batch_;
  std::optional<weir_train::CudaMlp> mlp_;
};

}  // namespace

weir::Profile measure_cuda(std::uint64_t seed) {
  weir::DeviceProfile device{.name = gpu_name()};
  BuiltIn const built_in;
  weir::Profile profile = built_in.profile();
  weir::CudaExecutor const executor;
  for (std::size_t const local_batch : BuiltIn::local_batches) {
    std::vector<std::uint32_t> order(most_workers * local_batch);
    std::iota(order.begin(), order.end(), 0u);
    weir::Buffer<std::uint32_t, weir::CudaExecutor> indices(executor, order.size());
    weir::from_host(executor, std::span<std::uint32_t const>(order), indices.view());
    MeasuredCudaMlp model(executor, built_in, local_batch);
    weir_train::DeviceSamples const samples(indices.data(), order.size());
    device.local_batches.push_back(measure_step(built_in, executor, samples, local_batch, seed, model));
  }
  profile.cluster = {{"this machine", device.name, 1, weir::not_measured, weir::not_measured}};
  profile.devices.push_back(std::move(device));
  return profile;
}

}  // namespace weir_plan
#endif
