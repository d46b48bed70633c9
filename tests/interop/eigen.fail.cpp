// expect: its elements do not lie in a row
#include "weir/interop/eigen.hpp"

#ifdef WEIR_FAIL_CONTROL
using Stride = Eigen::Stride<0, 0>;
#else
using Stride = Eigen::OuterStride<8>;
#endif

void use(Eigen::Map<Eigen::MatrixXf, 0, Stride>& map) {
  (void)weir::view(map);
}
