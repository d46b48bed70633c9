#if WEIR_TRAIN_WITH_MPI
#include "counting_memory.hpp"
#include "host_pipelines.hpp"
#include "pipeline_trainer.hpp"
#include "run_pipeline.hpp"
#include "weir/mpi/communicator.hpp"
#include "whole_gradients.hpp"

namespace weir_train {

Outcome train_pipeline_process(Run const& run) {
  CountingMemory memory;
  return train_pipeline<HostPipelines, WholeGradients>(run, weir::MpiCommunicator(MPI_COMM_WORLD), memory);
}

}  // namespace weir_train
#endif
