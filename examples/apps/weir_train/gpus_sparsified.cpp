#if WEIR_TRAIN_WITH_CUDA
#include "device_gradients.hpp"
#include "gpu_ranks.hpp"
#include "gpus.hpp"

namespace weir_train {

Outcome train_sparsified_on_gpus(Run const& run) {
  return GpuRanks<DeviceGradients>::train(run);
}

}  // namespace weir_train
#endif
