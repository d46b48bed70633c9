#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "kernel_options.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/mask_options.hpp"

namespace weir_design {

enum class Table { mlp, resnet };

/// Where the design is written to; empty: not at all.
struct OutputPaths {
  std::string matrix = {};
  std::string matrix_market = {};
  std::string svg = {};
  std::string graph_svg = {};
  std::string dot = {};
};

/// What the command line says.
struct Options {
  std::string help = {};  // what --help prints; if not empty, the rest has no meaning
  bool json = false;
  std::optional<weir::DesignParameters> feasibility = {};
  std::optional<Table> table = {};
  weir::MaskOptions mask = {};
  bool counts_lambda = false;  // however many inputs there are
  OutputPaths paths = {};
  std::optional<KernelOptions> kernels = {};
  std::size_t threads = 1;
};

/// Whether there is an option of this name.
bool is_option(std::string const& name);

/// Errors: `UsageError`.
Options parse_options(int argc, char const* const* argv);

}  // namespace weir_design
