#include "run_adaptive.hpp"

#include "adaptive_gradients.hpp"
#include "counting_memory.hpp"
#include "host_device.hpp"
#include "rank_threads.hpp"
#include "trainer.hpp"

namespace weir_train {

Outcome train_adaptively(Run const& run) {
#if WEIR_TRAIN_WITH_MPI
  if (run.configuration.comm == CommKind::mpi) return train_process_adaptively(run);
#endif
  // A single rank too: a communicator less is much less to compile.
  auto const communicators = weir::ThreadCommunicator::group(run.configuration.ranks);
  return train_on_threads(communicators.size(), [&](std::size_t rank) {
    return train_or_abort(communicators[rank], [&] {
      CountingMemory memory;
      return train_rank<HostDevice, AdaptiveGradients>(run, communicators[rank], memory);
    });
  });
}

}  // namespace weir_train
