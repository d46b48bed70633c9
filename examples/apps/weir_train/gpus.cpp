#if WEIR_TRAIN_WITH_CUDA
#include "gpus.hpp"

#include <cstddef>
#include <string>

#include "count_gpus.hpp"
#include "cuda_device.hpp"
#include "errors.hpp"
#include "gpu_ranks.hpp"
#include "trainer.hpp"
#include "whole_gradients.hpp"

namespace weir_train {

void check_gpus(Configuration const& configuration) {
  std::size_t const gpus = count_gpus();
  if (configuration.comm != CommKind::nccl || configuration.is_process_each || configuration.ranks <= gpus)
    return;
  throw RunError("--ranks " + std::to_string(configuration.ranks) +
                 ": with --comm nccl each needs a GPU, and there " +
                 (gpus == 1 ? "is 1" : "are " + std::to_string(gpus)) +
                 "; at most as many ranks, or --comm threads, would be right");
}

Outcome train_on_gpus(Run const& run) {
  if (run.configuration.sparsification) return train_sparsified_on_gpus(run);
  auto const train = [&run](auto const& communicator, CountingDeviceMemory& memory) {
    return train_rank<CudaDevice, WholeGradients>(run, communicator, memory);
  };
  return GpuRanks(run.configuration, train).train();
}

}  // namespace weir_train
#endif
