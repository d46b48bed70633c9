#include "run_pipeline.hpp"

#include "pipeline_trainer.hpp"
#include "rank_threads.hpp"

namespace weir_train {

Outcome train_pipelines(Run const& run) {
#if WEIR_TRAIN_WITH_MPI
  if (run.configuration.comm == CommKind::mpi) return train_pipeline_process(run);
#endif
  // A single rank too: a communicator less is much less to compile.
  auto const communicators = weir::ThreadCommunicator::group(run.configuration.ranks);
  return train_on_threads(communicators.size(), [&](std::size_t rank) {
    return train_or_abort(communicators[rank], [&] {
      CountingMemory memory;
      return PipelineTrainer(run, communicators[rank], memory).train();
    });
  });
}

}  // namespace weir_train
