// expect: (could not convert|no viable conversion).* 'TensorView<const float
#include "weir/tensor/view.hpp"

#ifdef WEIR_FAIL_CONTROL
using Out = weir::TensorView<float const, weir::HostSpace>;
#else
using Out = weir::TensorView<float, weir::HostSpace>;
#endif

Out convert(weir::TensorView<float const, weir::HostSpace> view) {
  return view;
}
