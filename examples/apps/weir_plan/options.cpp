#include "options.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <thread>

#include "weir_train/arguments.hpp"
#include "weir_train/numbers.hpp"
#include "weir_train/path_option.hpp"

namespace weir_plan {
namespace {

using weir_train::Arguments;
using weir_train::parse_integer;
using weir_train::refuse_value;
using weir_train::UsageError;

constexpr char const* planning = "Planning";
constexpr char const* measuring = "Measuring";

void declare(Arguments& a) {
  a.add("--report", "text|json", "form of the report [text]", "Common");
  a.add("--seed", "N", "of the built-in model's weights [0]", "Common");
  a.add("--threads", "N", "host threads in all, which workers share [all cores]", "Common");

  a.add("--profile", "PROFILE.json", "what was measured of the model and the cluster", planning);
  a.add("--batch", "N", "the global batch: samples in a step of all devices", planning);
  a.add("--unit", "N", "neighbouring devices of a server that get the same work [1]", planning);
  a.add("--local-batch", "N", "samples per worker and micro-batch [the best one]", planning);
  a.add("--weight-sync", "auto|sequential|overlap|shared", "auto: as the buckets recommend [auto]", planning);
  a.add_flag("--simulate", "replay the step event by event, too", planning);
  a.add("--chart", "FILE.svg", "draw the throughput of all batches up to --batch, against equal shares",
        planning);

  a.add_flag("--measure", "profile this machine with the built-in model, on digits", measuring);
  a.add("--output", "PROFILE.json", "where to write the profile", measuring);
  a.add("--device", "host|cuda", "[host]", measuring);
}

/// Refuses those of the options that were given.
void refuse_beside(Arguments const& a, std::initializer_list<char const*> names, std::string const& beside) {
  for (char const* name : names) {
    if (a.given(name))
      throw UsageError(std::string(name) + ": " + beside + "; leaving it out would be right");
  }
}

std::string parse_path(Arguments const& a, char const* name, std::string const& why) {
  if (!a.given(name)) throw UsageError(std::string(name) + ": missing; " + why);
  if (a[name].empty()) refuse_value(name, a[name], "the path of a file");
  return a[name];
}

void parse_measuring(Arguments const& a, Options& options) {
  refuse_beside(a,
                {"--profile", "--batch", "--unit", "--local-batch", "--weight-sync", "--simulate", "--chart"},
                "--measure makes a profile and no plan");
  options.measure = true;
  options.output = parse_path(a, "--output", "--measure writes the profile to --output PROFILE.json");
  if (!a.given("--device") || a["--device"] == "host") return;
  if (a["--device"] != "cuda") refuse_value("--device", a["--device"], "host or cuda");
  options.on_device = true;
}

void parse_planning(Arguments const& a, Options& options) {
  refuse_beside(a, {"--output", "--device"}, "only --measure has it");
  options.profile = parse_path(a, "--profile", "--profile PROFILE.json would be right");
  if (!a.given("--batch")) throw UsageError("--batch: missing; --batch N, the global batch, would be right");
  auto const count = [&a](char const* name, std::size_t& value) {
    constexpr std::size_t most = std::size_t{1} << 60;
    if (a.given(name)) value = parse_integer<std::size_t>(name, a[name], 1, most);
  };
  count("--batch", options.batch);
  count("--unit", options.unit);
  count("--local-batch", options.local_batch);
  options.simulate = a.given("--simulate");
  if (a.given("--chart")) options.chart = parse_path(a, "--chart", "");
  weir_train::refuse_same_file(a, {"--chart"}, {options.profile});
  if (!a.given("--weight-sync") || a["--weight-sync"] == "auto") return;
  for (auto const policy :
       {weir::WeightPolicy::sequential, weir::WeightPolicy::overlap, weir::WeightPolicy::shared}) {
    if (a["--weight-sync"] == name_of(policy)) options.weight_sync = policy;
  }
  if (!options.weight_sync)
    refuse_value("--weight-sync", a["--weight-sync"], "auto, sequential, overlap or shared");
}

}  // namespace

Options parse_options(int argc, char const* const* argv) {
  Arguments a("Plans how many workers and micro-batches each device of a cluster runs for a global batch.");
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
  if (a.given("--seed")) options.seed = parse_integer<std::uint64_t>("--seed", a["--seed"], 0);
  if (a.given("--measure")) {
    parse_measuring(a, options);
  } else {
    parse_planning(a, options);
  }
  return options;
}

}  // namespace weir_plan
