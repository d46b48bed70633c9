#if WEIR_TRAIN_WITH_MPI
#include "adaptive_gradients.hpp"
#include "counting_memory.hpp"
#include "host_device.hpp"
#include "run_adaptive.hpp"
#include "trainer.hpp"
#include "weir/mpi/communicator.hpp"

namespace weir_train {

Outcome train_process_adaptively(Run const& run) {
  CountingMemory memory;
  return train_rank<HostDevice, AdaptiveGradients>(run, weir::MpiCommunicator(MPI_COMM_WORLD), memory);
}

}  // namespace weir_train
#endif
