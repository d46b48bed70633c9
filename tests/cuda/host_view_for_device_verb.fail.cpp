// expect: mismatched types 'weir::v1::DeviceSpace' and 'weir::v1::HostSpace'
// expect: could not match 'weir::DeviceSpace' against 'weir::HostSpace'
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
