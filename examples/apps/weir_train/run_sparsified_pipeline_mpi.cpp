#if WEIR_TRAIN_WITH_MPI
#include "counting_memory.hpp"
#include "host_pipelines.hpp"
#include "pipeline_trainer.hpp"
#include "run_pipeline.hpp"
#include "sparsified_gradients.hpp"
#include "weir/mpi/communicator.hpp"

namespace weir_train {

Outcome train_sparsified_pipeline_process(Run const& run) {
  CountingMemory memory;
  return train_pipeline<HostPipelines, SparsifiedGradients>(run, weir::MpiCommunicator(MPI_COMM_WORLD),
                                                            memory);
}

}  // namespace weir_train
#endif
