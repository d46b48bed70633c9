#if WEIR_TRAIN_WITH_CUDA
#include "cuda_pipelines.hpp"
#include "gpus.hpp"
#include "pipeline_trainer.hpp"
#include "weir/comm/self.hpp"
#include "whole_gradients.hpp"

namespace weir_train {

Outcome train_pipeline_on_gpu(Run const& run) {
  return train_pipeline<CudaPipelines, WholeGradients>(run, weir::SelfCommunicator());
}

}  // namespace weir_train
#endif
