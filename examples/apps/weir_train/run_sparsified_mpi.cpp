#if WEIR_TRAIN_WITH_MPI
#include "counting_memory.hpp"
#include "host_device.hpp"
#include "run_sparsified.hpp"
#include "sparsified_gradients.hpp"
#include "trainer.hpp"
#include "weir/mpi/communicator.hpp"

namespace weir_train {

Outcome train_sparsified_process(Run const& run) {
  CountingMemory memory;
  return train_rank<HostDevice, SparsifiedGradients>(run, weir::MpiCommunicator(MPI_COMM_WORLD), memory);
}

}  // namespace weir_train
#endif
