#include "options.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/feasibility.hpp"
#include "weir_train/arguments.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/numbers.hpp"
#include "weir_train/path_option.hpp"

namespace weir_design {
namespace {

using weir_train::Arguments;
using weir_train::parse_integer;
using weir_train::refuse_value;
using weir_train::UsageError;

constexpr std::size_t longest_side = std::numeric_limits<std::uint32_t>::max();

constexpr char const* design_options[] = {"--outputs",    "--inputs", "--density",   "--row-degree",
                                          "--family",     "--order",  "--dimension", "--lambda",
                                          "--block-size", "--seed",   "--matrix",    "--mtx",
                                          "--svg",        "--dot",    "--svg-graph", "--lambda-histogram"};

void declare(Arguments& a) {
  constexpr char const* design = "Design";
  constexpr char const* output = "Output";
  constexpr char const* other = "Other questions";
  a.add("--report", "text|json", "form of the report [text]", "Common");
  a.add("--seed", "N", "number of the copy [0, the canonical one]", "Common");
  a.add("--threads", "N", "host threads [all cores]", "Common");

  a.add("--outputs", "B", "rows of the mask", design);
  a.add("--inputs", "V", "columns of the mask", design);
  a.add("--density", "D", "share of live entries", design);
  a.add("--row-degree", "K", "live entries per row", design);
  a.add("--family", "NAME",
        "auto, affine-plane, projective-plane, affine-geometry, projective-geometry, steiner-triple, paley, "
        "twin-prime, quartic-residue, net, hadamard-group, complement-of:NAME, derived-of:NAME, "
        "residual-of:NAME, legacy-iddl, random, random-biregular [auto]",
        design);
  a.add("--order", "Q", "of the field, or of the groups", design);
  a.add("--dimension", "N", "of a geometry [2]", design);
  a.add("--lambda", "L", "meetings of two inputs", design);
  a.add("--block-size", "S", "side of the tiles that are live as a whole [1]", design);

  a.add_flag("--lambda-histogram", "count meetings beyond 4096 inputs, too", output);
  a.add("--matrix", "OUT.npy", "write the matrix as uint8", output);
  a.add("--mtx", "OUT.mtx", "write the matrix in the Matrix Market format", output);
  a.add("--svg", "OUT.svg", "draw the matrix", output);
  a.add("--svg-graph", "OUT.svg", "draw the bipartite graph", output);
  a.add("--dot", "OUT.dot", "write the bipartite graph for Graphviz", output);

  declare_kernels(a);

  a.add("--feasibility", "v,b,r,k,lambda", "does a block design with these parameters exist?", other);
  a.add("--table", "mlp|resnet", "parameters and operations of known networks", other);
}

weir::DesignParameters parse_feasibility(std::string const& value) {
  std::vector<std::string> const parts = weir_train::split(value, ',');
  std::array<std::uint64_t, 5> numbers = {};
  std::string const right = "five whole numbers v,b,r,k,lambda from 1 to 2147483647";
  if (parts.size() != numbers.size()) refuse_value("--feasibility", value, right);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    try {
      numbers[i] = parse_integer<std::uint64_t>("", parts[i], 1, std::numeric_limits<std::int32_t>::max());
    } catch (UsageError const&) {
      refuse_value("--feasibility", value, right);
    }
  }
  auto const [v, b, r, k, lambda] = numbers;
  if (k < 2 || k >= v) refuse_value("--feasibility", value, "2 <= k < v");
  return {v, b, r, k, lambda};
}

/// More than the inputs, and what a family does not have, the library refuses.
std::size_t parse_row_degree(std::string const& value, std::size_t inputs) {
  try {
    return parse_integer<std::size_t>("", value, 1);
  } catch (UsageError const&) {
    refuse_value("--row-degree", value,
                 inputs == 0 ? "a whole number of at least 1"
                             : "a whole number from 1 to " + std::to_string(inputs) + ", the inputs,");
  }
}

void parse_design(Arguments const& a, Options& options) {
  weir::MaskOptions& mask = options.mask;
  auto const side = [&a](char const* name, std::size_t& value) {
    if (a.given(name)) value = parse_integer<std::size_t>(name, a[name], 1, longest_side);
  };
  auto const number = [&a](char const* name, std::uint64_t& value, std::uint64_t least) {
    if (a.given(name)) value = parse_integer<std::uint64_t>(name, a[name], least);
  };
  if (a.given("--family")) mask.family = a["--family"];
  side("--outputs", mask.outputs);
  side("--inputs", mask.inputs);
  if (a.given("--row-degree")) mask.row_degree = parse_row_degree(a["--row-degree"], mask.inputs);
  number("--order", mask.order, 2);
  number("--dimension", mask.dimension, 2);
  number("--lambda", mask.lambda, 1);
  if (a.given("--density")) {
    mask.density = weir_train::parse_real(
        "--density", a["--density"], [](double d) { return d > 0 && d <= 1; }, "a number above 0, at most 1");
  }
  if (a.given("--block-size"))
    mask.block = static_cast<std::uint32_t>(
        parse_integer<std::uint64_t>("--block-size", a["--block-size"], 1, longest_side));
  if (a.given("--seed")) mask.seed = parse_integer<std::uint64_t>("--seed", a["--seed"], 0);
}

void parse_paths(Arguments const& a, OutputPaths& paths) {
  read_path(a, "--matrix", paths.matrix);
  read_path(a, "--mtx", paths.matrix_market);
  read_path(a, "--svg", paths.svg);
  read_path(a, "--svg-graph", paths.graph_svg);
  read_path(a, "--dot", paths.dot);
}

/// Questions that are not about one design go with no option of a design.
void refuse_beside(Arguments const& a, char const* question) {
  auto const refuse = [&](char const* name) {
    if (a.given(name))
      throw UsageError(std::string(name) + ": not together with " + question +
                       "; leaving out one of them would be right");
  };
  for (char const* name : design_options) refuse(name);
  for (char const* name : kernel_option_names) refuse(name);
}

}  // namespace

bool is_option(std::string const& name) {
  for (char const* option : design_options) {
    if (name == option) return true;
  }
  return false;
}

Options parse_options(int argc, char const* const* argv) {
  Arguments a("Makes block designs and other masks for sparse layers, and says what they are.");
  declare(a);
  Options options;
  options.help = a.parse(argc, argv);
  if (!options.help.empty()) return options;
  if (a.given("--report")) {
    options.json = a["--report"] == "json";
    if (!options.json && a["--report"] != "text") refuse_value("--report", a["--report"], "text or json");
  }
  options.threads = std::max(1u, std::thread::hardware_concurrency());
  if (a.given("--threads"))
    options.threads = parse_integer<std::size_t>("--threads", a["--threads"], 1, 4096);
  if (a.given("--feasibility")) {
    refuse_beside(a, "--feasibility");
    options.feasibility = parse_feasibility(a["--feasibility"]);
  }
  if (a.given("--table")) {
    refuse_beside(a, "--table");
    if (a.given("--feasibility"))
      throw UsageError("--table: not together with --feasibility; leaving out one of them would be right");
    std::string const& table = a["--table"];
    if (table != "mlp" && table != "resnet") refuse_value("--table", table, "mlp or resnet");
    options.table = table == "mlp" ? Table::mlp : Table::resnet;
  }
  if (options.feasibility || options.table) return options;
  parse_design(a, options);
  parse_paths(a, options.paths);
  options.kernels = parse_kernels(a);
  KernelOptions const kernels = options.kernels.value_or(KernelOptions{});
  weir_train::refuse_same_file(a,
                               {"--matrix", "--mtx", "--svg", "--svg-graph", "--dot", "--result",
                                "--input-gradient", "--weight-gradient"},
                               {kernels.values, kernels.multiply, kernels.gradient});
  options.counts_lambda = a.given("--lambda-histogram");
  return options;
}

}  // namespace weir_design
