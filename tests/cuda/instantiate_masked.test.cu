#include "weir/cuda/instantiate_masked.cuh"

// product_launch.test.cu and tests/equivalence see declarations only and are linked with what is instantiated
// here, as programs that another compiler compiles would be.
