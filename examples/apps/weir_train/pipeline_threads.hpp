#pragma once

#include <cstddef>

#include "counting_memory.hpp"
#include "host_pipelines.hpp"
#include "pipeline_trainer.hpp"
#include "rank_threads.hpp"
#include "report.hpp"
#include "weir/comm/threads.hpp"

namespace weir_train {

/// Trains the ranks of this process as pipelines. A single one too: a communicator less is much less to
/// compile.
template <class Gradients>
Outcome train_pipelines_on_threads(Run const& run) {
  auto const communicators = weir::ThreadCommunicator::group(run.configuration.ranks);
  return train_on_threads(communicators.size(), [&](std::size_t rank) {
    return train_or_abort(communicators[rank], [&] {
      CountingMemory memory;
      return train_pipeline<HostPipelines, Gradients>(run, communicators[rank], memory);
    });
  });
}

}  // namespace weir_train
