#if WEIR_TRAIN_WITH_CUDA
#include "cuda_pipelines.hpp"
#include "gpu_ranks.hpp"
#include "gpus.hpp"
#include "pipeline_trainer.hpp"
#include "whole_gradients.hpp"

namespace weir_train {

Outcome train_pipelines_on_gpus(Run const& run) {
  if (run.configuration.sparsification) return train_sparsified_pipelines_on_gpus(run);
  auto const train = [&run](auto const& communicator, CountingDeviceMemory& memory) {
    return train_pipeline<CudaPipelines, WholeGradients>(run, communicator, memory);
  };
  return GpuRanks(run.configuration, train).train();
}

}  // namespace weir_train
#endif
