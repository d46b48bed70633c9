#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "weir/mask/any_design.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/lambda_histogram.hpp"
#include "weir/mask/mask_options.hpp"

namespace weir_design {

/// A design and what the making of it took.
struct Made {
  weir::AnyDesign design;
  std::string family;
  double seconds = 0;
};

/// What the sparse kernels took, those that ran.
struct KernelSeconds {
  double multiply = 0;
  std::optional<double> input_gradient = {};
  std::optional<double> weight_gradient = {};
};

/// What is said of a design.
struct Description {
  std::string family = {};
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t nnz = 0;
  double density = 0;
  weir::DegreeRange row_degree = {};
  weir::DegreeRange column_degree = {};
  std::optional<std::vector<weir::LambdaCount>> lambda = {};  // where it was counted
  bool exact = false;
  double sigma2 = 0;
  std::size_t table_bytes = 0;
  double seconds_construct = 0;
  std::optional<KernelSeconds> kernels = {};  // where they ran
};

/// Errors: `UsageError` with the option at fault.
Made make(weir::MaskOptions const& options);

Description describe(Made const& made, bool counts_lambda);

}  // namespace weir_design
