#if WEIR_TRAIN_WITH_CUDA
#include "device_threshold.hpp"

#include "weir_sparsify/device_estimator.hpp"

namespace weir_train {

void sparsify(weir::CudaExecutor const& executor,
              weir::SparsifyWork<float, float, weir::DeviceSpace> const& work,
              ChosenThreshold const& threshold) {
  weir_sparsify::DevicePolicies<float>::with(
      threshold.estimator, [&](auto const& policy) { weir::sparsify(executor, work, policy); });
}

}  // namespace weir_train
#endif
