#pragma once

#include <optional>
#include <string>

#include "weir/tensor/element_type.hpp"
#include "weir_train/arguments.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/numbers.hpp"
#include "weir_train/path_option.hpp"

namespace weir_design {

#if WEIR_DESIGN_WITH_CUDA
inline constexpr bool built_with_cuda = true;
#else
inline constexpr bool built_with_cuda = false;
#endif

/// What the sparse kernels are run on. Paths may be empty from `gradient` on.
struct KernelOptions {
  std::string values = {};    // weights, outputs x inputs
  std::string multiply = {};  // samples x inputs
  std::string result = {};
  std::string gradient = {};  // of the result
  std::string input_gradient = {};
  std::string weight_gradient = {};
  weir::ElementType type = weir::ElementType::float32;
  bool on_gpu = false;
};

inline constexpr char const* kernel_option_names[] = {"--values",   "--multiply",       "--result",
                                                      "--gradient", "--input-gradient", "--weight-gradient",
                                                      "--type",     "--device"};

inline void declare_kernels(weir_train::Arguments& a) {
  constexpr char const* group = "Sparse kernels on data";
  a.add("--values", "W.npy", "weights, outputs x inputs, of which live ones are read", group);
  a.add("--multiply", "X.npy", "samples x inputs", group);
  a.add("--result", "Y.npy", "write X W^T, samples x outputs", group);
  a.add("--gradient", "DY.npy", "gradient of the result, samples x outputs", group);
  a.add("--input-gradient", "DX.npy", "write DY W, samples x inputs", group);
  a.add("--weight-gradient", "DW.npy", "write the gradient of the weights, zero where they are dead", group);
  a.add("--type", "fp64|fp32|bf16|fp16", "of the numbers that are multiplied [fp32]", group);
  a.add("--device", "host|cuda", "[host]", group);
}

inline weir::ElementType parse_element_type(std::string const& value) {
  if (value == "fp64") return weir::ElementType::float64;
  if (value == "fp32") return weir::ElementType::float32;
  if (value == "bf16") return weir::ElementType::bfloat16;
  if (value == "fp16") return weir::ElementType::float16;
  weir_train::refuse_value("--type", value, "fp64, fp32, bf16 or fp16");
}

/// Errors: `UsageError`. None where no option of the kernels is given.
inline std::optional<KernelOptions> parse_kernels(weir_train::Arguments const& a) {
  using weir_train::UsageError;
  bool is_asked_for = false;
  for (char const* name : kernel_option_names) is_asked_for = is_asked_for || a.given(name);
  if (!is_asked_for) return {};
  KernelOptions kernels;
  bool const has_values = weir_train::read_path(a, "--values", kernels.values);
  bool const has_multiply = weir_train::read_path(a, "--multiply", kernels.multiply);
  if (!weir_train::read_path(a, "--result", kernels.result) || !has_values || !has_multiply) {
    throw UsageError(std::string(!has_values     ? "--values"
                                 : !has_multiply ? "--multiply"
                                                 : "--result") +
                     ": it is missing; --values W.npy --multiply X.npy --result Y.npy would be right");
  }
  bool const has_gradient = weir_train::read_path(a, "--gradient", kernels.gradient);
  bool const has_input = weir_train::read_path(a, "--input-gradient", kernels.input_gradient);
  bool const has_weight = weir_train::read_path(a, "--weight-gradient", kernels.weight_gradient);
  if (!has_gradient && (has_input || has_weight))
    throw UsageError(std::string("--gradient: it is missing, and ") +
                     (has_input ? "--input-gradient" : "--weight-gradient") +
                     " is made from it; --gradient DY.npy would be right");
  if (has_gradient && !has_input && !has_weight)
    throw UsageError(
        "--gradient: nothing is to be made from it; --input-gradient DX.npy or --weight-gradient DW.npy "
        "besides would be right");
  if (a.given("--type")) kernels.type = parse_element_type(a["--type"]);
  if (a.given("--device") && a["--device"] != "host") {
    if (a["--device"] != "cuda") weir_train::refuse_value("--device", a["--device"], "host or cuda");
    if (!built_with_cuda)
      throw UsageError("--device cuda: this program was built without CUDA; --device host would be right");
    kernels.on_gpu = true;
  }
  return kernels;
}

}  // namespace weir_design
