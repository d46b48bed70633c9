#include "weir/cuda/instantiate.cuh"

// vocabulary.test.cu sees declarations only and is linked with what is instantiated here, as a program that
// another compiler compiles would be.
