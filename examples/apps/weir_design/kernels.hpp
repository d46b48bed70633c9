#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "describe.hpp"
#include "kernel_options.hpp"
#include "weir/mask/any_design.hpp"

namespace weir_design {

/// A matrix that is to be written as .npy.
struct MatrixBytes {
  std::string descr = {};
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::byte> bytes = {};
};

/// What the kernels gave.
struct Products {
  KernelSeconds seconds = {};
  MatrixBytes result = {};
  std::optional<MatrixBytes> input_gradient = {};
  std::optional<MatrixBytes> weight_gradient = {};
};

/// Runs the kernels of the host, or of a GPU, on files. Results have the type of the numbers that are
/// multiplied, weight gradients that of their sums. bfloat16 is written as uint16 where `multiply` is, else
/// as float32. Errors: `RunError`.
Products run_kernels(weir::AnyDesign const& design, KernelOptions const& options, std::size_t threads);

/// The same on the GPU that is current; defined where this program is built with CUDA. Errors: `RunError`,
/// also where there is no GPU.
Products run_kernels_on_gpu(weir::AnyDesign const& design, KernelOptions const& options, std::size_t threads);

/// The same on the host for a type, which is what takes long to compile.
template <class Element>
Products run_typed_kernels(weir::AnyDesign const& design, KernelOptions const& options, std::size_t threads);

}  // namespace weir_design
