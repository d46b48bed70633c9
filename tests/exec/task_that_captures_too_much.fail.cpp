// expect: this callable captures too much for a stream slot
#include <array>

#include "weir/host/executor.hpp"

#ifdef WEIR_FAIL_CONTROL
using Values = std::array<double, 30>;
#else
using Values = std::array<double, 31>;
#endif

void enqueue(weir::HostExecutor const& executor, Values const& values, double* sum) {
  executor.submit([values] { (void)values; });
  (void)sum;
}
