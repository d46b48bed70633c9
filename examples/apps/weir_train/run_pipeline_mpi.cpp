#if WEIR_TRAIN_WITH_MPI
#include "pipeline_trainer.hpp"
#include "run_pipeline.hpp"
#include "weir/mpi/communicator.hpp"

namespace weir_train {

Outcome train_pipeline_process(Run const& run) {
  CountingMemory memory;
  return PipelineTrainer(run, weir::MpiCommunicator(MPI_COMM_WORLD), memory).train();
}

}  // namespace weir_train
#endif
