// expect: add_scaled
#include "weir/cuda/executor.hpp"

#ifdef WEIR_FAIL_CONTROL
using Space = weir::DeviceSpace;
#else
using Space = weir::HostSpace;
#endif

void add(weir::CudaExecutor const& executor, weir::TensorView<float, Space> in,
         weir::TensorView<float, Space> out) {
  add_scaled(executor, in, 2.0f, out);
}
