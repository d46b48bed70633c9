#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "weir/core/half.hpp"

/// Kernels that benchmarks need besides those of the library.
namespace bench {

/// Numbers between -1 and 1 that look random: zeros are faster to move than what a trainer has.
void fill_random(cudaStream_t stream, float* out, std::size_t size, unsigned seed);
void fill_random(cudaStream_t stream, weir::bfloat16* out, std::size_t size, unsigned seed);
void fill_random(cudaStream_t stream, weir::half* out, std::size_t size, unsigned seed);

/// The least that can be launched.
void launch_nothing(cudaStream_t stream);

/// Keeps `blocks` multiprocessors busy for some microseconds, with one block each. Writes a float to `*out`.
void launch_busy(cudaStream_t stream, unsigned blocks, unsigned rounds, float* out);

/// Multiply-adds of float between registers, so many that no other instruction counts. Writes a float to
/// `*out`.
void launch_multiply_adds(cudaStream_t stream, unsigned blocks, unsigned rounds, float* out);
/// How many they are.
double multiply_adds_of(unsigned blocks, unsigned rounds);

/// The sum of the squares of `in`, by CUB. `workspace` null: only sets `bytes`, that it needs.
void cub_sum_of_squares(cudaStream_t stream, float const* in, std::size_t size, double* out, void* workspace,
                        std::size_t& bytes);

/// The magnitudes of `in` and their places, sorted by CUB, largest first: what exact top-k is made of. The
/// four outputs have `size` entries. `workspace` null: only sets `bytes`, that it needs.
void cub_sorted_magnitudes(cudaStream_t stream, float const* in, std::size_t size, float* magnitudes,
                           unsigned* places, float* sorted_magnitudes, unsigned* sorted_places,
                           void* workspace, std::size_t& bytes);

}  // namespace bench
