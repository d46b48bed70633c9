// The source of weir::cuda_kernels: the kernels, compiled by nvcc for programs that another compiler
// compiles.
#include "weir/cuda/instantiate.cuh"
