#if WEIR_TRAIN_WITH_CUDA
#include "cuda_device.hpp"
#include "device_gradients.hpp"
#include "gpu_ranks.hpp"
#include "gpus.hpp"
#include "trainer.hpp"

namespace weir_train {

Outcome train_sparsified_on_gpus(Run const& run) {
  auto const train = [&run](auto const& communicator, CountingDeviceMemory& memory) {
    return train_rank<CudaDevice, DeviceGradients>(run, communicator, memory);
  };
  return GpuRanks(run.configuration, train).train();
}

}  // namespace weir_train
#endif
