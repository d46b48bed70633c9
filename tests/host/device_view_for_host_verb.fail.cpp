// expect: mismatched types 'weir::v1::HostSpace' and 'weir::v1::DeviceSpace'
// expect: could not match 'weir::HostSpace' against 'weir::DeviceSpace'
#include "weir/host/executor.hpp"

#ifdef WEIR_FAIL_CONTROL
using Space = weir::HostSpace;
#else
using Space = weir::DeviceSpace;
#endif

void add(weir::HostExecutor const& executor, weir::TensorView<float, Space> in,
         weir::TensorView<float, Space> out) {
  add_scaled(executor, in, 2.0f, out);
}
