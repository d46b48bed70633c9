#include "options.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "estimator_options.hpp"
#include "weir_train/arguments.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/numbers.hpp"
#include "weir_train/path_option.hpp"

namespace weir_sparsify {
namespace {

using weir_train::Arguments;
using weir_train::parse_integer;
using weir_train::parse_real;
using weir_train::refuse_value;
using weir_train::UsageError;

void declare(Arguments& a, std::vector<std::string>& files) {
  constexpr char const* input = "Gradients";
  constexpr char const* method = "Method";
  constexpr char const* network = "Advice, of the last step";
  constexpr char const* output = "Output, of the last step";
  a.add("--report", "text|json", "form of the report [text]", "Common");
  a.add("--seed", "N", "of random-k and of the samples of dgc [0]", "Common");
  a.add("--threads", "N", "host threads [all cores]", "Common");

  a.add_list("GRAD.npy", files, "gradients of successive steps of one bucket");
  a.add_flag("--bfloat16", "the elements are bfloat16, stored as uint16", input);
  a.add("--steps", "T", "go through the files so many times [1]", input);

  a.add("--density", "D", "part of the elements to be sent", method);
  a.add("--estimator", "NAME", weir_train::listed(all_estimators(), "or"), method);
  a.add("--stages", "N|adaptive", "thresholds to be fitted one above the other, where they are fitted [1]",
        method);
  a.add("--rule", "1|2|3|4", "of adaptive stages [4]", method);
  a.add("--first-stage", "D1", "part that the first of several stages leaves [0.25]", method);
  a.add_flag("--feedback", "what is not sent is added to the next gradient", method);
  a.add("--capacity", "C", "most elements to be sent [no limit]", method);
  a.add("--nonfinite", "skip|propagate|error", "what to do with NaN and infinities [skip]", method);
  a.add("--device", "host|cuda", "[host]", method);

  a.add("--link", "LATENCY,BANDWIDTH",
        "say whether it pays over a network whose messages take so many seconds each, at so many bytes per "
        "second",
        network);
  a.add("--ranks", "P", "that it connects", network);

  a.add("--indices", "OUT.npy", "write which elements are sent", output);
  a.add("--values", "OUT.npy", "write what is sent", output);
  a.add("--residual", "OUT.npy", "write what is not sent", output);
}

void require(Arguments const& a, char const* name, char const* right) {
  if (!a.given(name)) throw UsageError(std::string(name) + ": missing; " + right + " would be right");
}

weir::StageConstants parse_all_of_stages(Arguments const& a, Estimator estimator) {
  weir::StageConstants stages;
  if (a.given("--stages")) stages = parse_stages(a["--stages"], estimator);
  if (a.given("--rule"))
    stages.rule = static_cast<weir::StageRule>(parse_integer<std::uint8_t>("--rule", a["--rule"], 1, 4));
  if (a.given("--first-stage")) {
    stages.first_ratio = parse_real(
        "--first-stage", a["--first-stage"], [](double d) { return d > 0 && d < 1; },
        "a number above 0 and below 1");
  }
  return stages;
}

weir::NonFinitePolicy parse_non_finite(std::string const& value) {
  if (value == "skip") return weir::NonFinitePolicy::skip;
  if (value == "propagate") return weir::NonFinitePolicy::propagate;
  if (value == "error") return weir::NonFinitePolicy::error;
  refuse_value("--nonfinite", value, "skip, propagate or error");
}

/// Whether it is a GPU.
bool parse_device(std::string const& value) {
  if (value != "cuda" && value != "host") refuse_value("--device", value, "host or cuda");
#if !WEIR_SPARSIFY_WITH_CUDA
  if (value == "cuda")
    throw UsageError(
        "--device cuda: this program was built without CUDA; a build with nvcc, or --device host, would be "
        "right");
#endif
  return value == "cuda";
}

void parse_method(Arguments const& a, Options& options) {
  options.density = parse_real(
      "--density", a["--density"], [](double d) { return d > 0 && d <= 1; }, "a number above 0, at most 1");
  options.estimator = parse_estimator(a["--estimator"]);
  options.constants.stages = parse_all_of_stages(a, options.estimator);
  options.has_feedback = a.given("--feedback");
  if (a.given("--capacity")) options.capacity = parse_integer<std::size_t>("--capacity", a["--capacity"], 1);
  if (a.given("--nonfinite")) options.constants.non_finite = parse_non_finite(a["--nonfinite"]);
  if (a.given("--seed")) options.constants.seed = parse_integer<std::uint64_t>("--seed", a["--seed"], 0);
  if (a.given("--device")) options.on_gpu = parse_device(a["--device"]);
}

void parse_network(Arguments const& a, Options& options) {
  if (!a.given("--link") && !a.given("--ranks")) return;
  if (!a.given("--link"))
    throw UsageError("--ranks: without --link it has no meaning; --link 2e-5,1.25e9 would be right");
  require(a, "--ranks", "--ranks 8");
  Network network;
  network.ranks = parse_integer<std::size_t>("--ranks", a["--ranks"], 2, 1'000'000);
  std::vector<std::string> const parts = weir_train::split(a["--link"], ',');
  if (parts.size() != 2) refuse_value("--link", a["--link"], "LATENCY,BANDWIDTH such as 2e-5,1.25e9");
  network.link.alpha = parse_real(
      "--link", parts[0], [](double x) { return x >= 0; }, "a latency of at least 0 seconds");
  double const bandwidth = parse_real(
      "--link", parts[1], [](double x) { return x > 0; }, "a bandwidth above 0 bytes per second");
  network.link.beta = 1.0 / bandwidth;
  options.network = network;
}

void parse_paths(Arguments const& a, std::vector<std::string> const& inputs, OutputPaths& paths) {
  weir_train::read_path(a, "--indices", paths.indices);
  weir_train::read_path(a, "--values", paths.values);
  weir_train::read_path(a, "--residual", paths.residual);
  weir_train::refuse_same_file(a, {"--indices", "--values", "--residual"}, inputs);
}

}  // namespace

Options parse_options(int argc, char const* const* argv) {
  Arguments a("Sends gradients through a sparsifier, and says what it selects and what that costs.");
  Options options;
  declare(a, options.files);
  options.help = a.parse(argc, argv);
  if (!options.help.empty()) return options;
  if (a.given("--report")) {
    options.json = a["--report"] == "json";
    if (!options.json && a["--report"] != "text") refuse_value("--report", a["--report"], "text or json");
  }
  options.threads = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  if (a.given("--threads"))
    options.threads = parse_integer<std::size_t>("--threads", a["--threads"], 1, 4096);
  if (options.files.empty()) throw UsageError("GRAD.npy: missing; at least one gradient would be right");
  options.is_bfloat16 = a.given("--bfloat16");
  if (a.given("--steps")) options.repeats = parse_integer<std::size_t>("--steps", a["--steps"], 1);
  require(a, "--density", "--density 0.01");
  require(a, "--estimator", "--estimator histogram");
  parse_method(a, options);
  parse_network(a, options);
  parse_paths(a, options.files, options.outputs);
  return options;
}

}  // namespace weir_sparsify
