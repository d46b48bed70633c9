#include "run_pipeline.hpp"

#include "gpus.hpp"
#include "pipeline_threads.hpp"
#include "whole_gradients.hpp"

namespace weir_train {

Outcome train_pipelines(Run const& run) {
#if WEIR_TRAIN_WITH_CUDA
  if (run.configuration.device == DeviceKind::cuda) return train_pipelines_on_gpus(run);
#endif
#if WEIR_TRAIN_WITH_MPI
  if (run.configuration.comm == CommKind::mpi) {
    return run.configuration.sparsification ? train_sparsified_pipeline_process(run)
                                            : train_pipeline_process(run);
  }
#endif
  if (run.configuration.sparsification) return train_sparsified_pipelines(run);
  return train_pipelines_on_threads<WholeGradients>(run);
}

}  // namespace weir_train
