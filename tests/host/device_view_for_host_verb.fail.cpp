// expect: add_scaled
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
