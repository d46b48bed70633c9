#pragma once

/// Marks a function that is compiled for the host and, where nvcc reads it, for the device as well. The only
/// macro of the library.
#ifdef __CUDACC__
#define WEIR_HOST_DEVICE __host__ __device__
#else
#define WEIR_HOST_DEVICE
#endif
