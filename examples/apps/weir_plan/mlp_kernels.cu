#include "weir_train/mlp_kernels.cu"
