#if WEIR_TRAIN_WITH_CUDA
#include "cuda_pipelines.hpp"
#include "device_gradients.hpp"
#include "gpu_ranks.hpp"
#include "gpus.hpp"
#include "pipeline_trainer.hpp"

namespace weir_train {

Outcome train_sparsified_pipelines_on_gpus(Run const& run) {
  auto const train = [&run](auto const& communicator, CountingDeviceMemory& memory) {
    return train_pipeline<CudaPipelines, DeviceGradients>(run, communicator, memory);
  };
  return GpuRanks(run.configuration, train).train();
}

}  // namespace weir_train
#endif
