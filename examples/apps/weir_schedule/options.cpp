#include "options.hpp"

#include <initializer_list>

#include "weir_train/arguments.hpp"
#include "weir_train/numbers.hpp"
#include "weir_train/path_option.hpp"

namespace weir_schedule {
namespace {

using weir::Rational;
using weir_train::Arguments;
using weir_train::parse_integer;
using weir_train::refuse_value;
using weir_train::split;
using weir_train::UsageError;

constexpr std::uint32_t most_workers = 65536;
constexpr std::uint32_t most_micro_batches = 4294967293;

void declare(Arguments& a) {
  a.add("--report", "text|json", "form of the report [text]", "Common");
  a.add("--seed", "N", "not used: nothing here is random", "Common");
  a.add("--threads", "N", "not used: one thread is enough", "Common");

  constexpr char const* schedules = "Schedules";
  a.add_flag("--list", "print the names of all schedules", schedules);
  a.add("--name", "NAME", "one of those", schedules);
  a.add("--workers", "P", "", schedules);
  a.add("--microbatches", "M", "of a flush, or of the whole run where there is none", schedules);
  a.add("--chunks", "V", "stages per worker [what the schedule has; 2 where it is free]", schedules);
  a.add("--group", "G", "micro-batches of a group of interleaved-1f1b [even groups of about P]", schedules);
  a.add("--warmup-factor", "1|2", "of interleaved-1f1b [2]", schedules);
  a.add("--period", "M", "micro-batches per update where there is no flush [P]", schedules);
  a.add("--blocks", "K", "of a period of wpipe [1]", schedules);

  constexpr char const* costs = "Costs, as integers, fractions a/b or decimals";
  a.add("--forward", "F", "of all layers of a worker for one micro-batch [1]", costs);
  a.add("--backward-input", "I", "the gradient of the input [1]", costs);
  a.add("--backward-weight", "W", "the gradient of the weights [1]", costs);
  a.add("--latency", "L", "until a message can be used on another worker [0]", costs);
  a.add("--edge-capacity", "C", "messages between two workers; sends wait for room [no limit]", costs);

  constexpr char const* files = "Files";
  a.add("--import", "FILE.csv", "a table to check in place of a generated one", files);
  a.add("--export", "FILE.csv", "write the table; FILE.long.csv has a row per operation", files);
  a.add("--trace", "FILE.json", "write a trace for Perfetto or chrome://tracing", files);
  a.add("--svg", "FILE.svg", "draw the schedule", files);

  constexpr char const* partition = "Partitions";
  a.add("--partition", "COSTS", "of layers, 5,20,13: cut them into P x V stages", partition);
  a.add("--memory", "BYTES", "of each layer", partition);
  a.add("--memory-limit", "X", "of a worker; a stage gets X/V", partition);
}

Rational parse_cost(std::string const& option, std::string const& value) {
  Rational cost;
  if (!weir::read_rational(value, cost) || cost < Rational{})
    refuse_value(option, value, "an integer, a fraction such as 3/2 or a decimal, 0 or more,");
  return cost;
}

std::vector<Rational> parse_costs(std::string const& option, std::string const& value) {
  std::vector<Rational> costs;
  for (std::string const& part : split(value, ',')) {
    if (part.empty()) refuse_value(option, value, "numbers with a comma between each two");
    costs.push_back(parse_cost(option, part));
  }
  return costs;
}

void refuse_beside(Arguments const& a, std::initializer_list<char const*> names, std::string const& why) {
  for (char const* name : names) {
    if (a.given(name)) throw UsageError(std::string(name) + ": " + why + "; leaving it out would be right");
  }
}

std::optional<std::uint32_t> parse_count(Arguments const& a, char const* name, std::uint32_t most) {
  if (!a.given(name)) return {};
  return parse_integer<std::uint32_t>(name, a[name], 1, most);
}

[[noreturn]] void refuse_missing(char const* option, char const* form) {
  throw UsageError(std::string(option) + ": missing; " + option + " " + form + " would be right");
}

PartitionRequest parse_partition(Arguments const& a) {
  refuse_beside(a,
                {"--name", "--microbatches", "--group", "--warmup-factor", "--period", "--blocks",
                 "--forward", "--backward-input", "--backward-weight", "--latency", "--edge-capacity",
                 "--import", "--export", "--trace", "--svg"},
                "it is of a schedule, and --partition makes none");
  PartitionRequest request;
  request.costs = parse_costs("--partition", a["--partition"]);
  if (!a.given("--workers")) refuse_missing("--workers", "P");
  request.workers = *parse_count(a, "--workers", most_workers);
  request.chunks = parse_count(a, "--chunks", most_workers).value_or(1);
  if (std::uint64_t{request.workers} * request.chunks > most_workers)
    refuse_value("--chunks", a["--chunks"], "65536 stages in all at most");
  if (a.given("--memory") != a.given("--memory-limit"))
    refuse_missing(a.given("--memory") ? "--memory-limit" : "--memory", a.given("--memory") ? "X" : "BYTES");
  if (!a.given("--memory")) return request;
  request.memory = parse_costs("--memory", a["--memory"]);
  if (request.memory.size() != request.costs.size()) {
    refuse_value("--memory", a["--memory"],
                 "one value for each of the " + std::to_string(request.costs.size()) + " layers");
  }
  request.memory_limit = parse_cost("--memory-limit", a["--memory-limit"]);
  return request;
}

weir::NamedSchedule const* parse_name(std::string const& name) {
  if (weir::NamedSchedule const* schedule = weir::find_schedule(name)) return schedule;
  std::vector<std::string> names;
  for (weir::NamedSchedule const& schedule : weir::schedule_catalog())
    names.emplace_back(schedule.traits.name);
  refuse_value("--name", name, weir_train::listed(names, "or"));
}

/// What the schedule has to choose, and nothing else.
void parse_shape(Arguments const& a, Options& o) {
  auto const take = [&](char const* option, bool exists, std::uint32_t& value, std::uint32_t most) {
    if (!a.given(option)) return;
    std::uint32_t const given = *parse_count(a, option, most);
    if (!exists) {
      std::string const name =
          o.schedule == nullptr ? "an imported table without --name" : o.schedule->traits.name;
      throw UsageError(std::string(option) + " " + a[option] + ": " + name +
                       " has none; leaving it out would be right");
    }
    value = given;
  };
  bool const is_named = o.schedule != nullptr;
  weir::ScheduleTraits const traits =
      is_named ? o.schedule->traits : weir::ScheduleTraits{.name = "imported"};
  take("--chunks", is_named, o.shape.chunks, most_workers);
  take("--group", traits.has_group, o.shape.group, most_micro_batches);
  take("--warmup-factor", traits.has_warmup_factor, o.shape.warmup_factor, 2);
  take("--period", !traits.synchronous, o.shape.period, most_micro_batches);
  take("--blocks", traits.has_blocks, o.shape.blocks, most_micro_batches);
}

void parse_schedule(Arguments const& a, Options& o) {
  if (a.given("--name")) o.schedule = parse_name(a["--name"]);
  bool const is_imported = a.given("--import");
  if (!is_imported && o.schedule == nullptr)
    throw UsageError(
        "--name: missing; --name NAME, --import FILE, --partition COSTS or --list would be right");
  o.workers = parse_count(a, "--workers", most_workers);
  o.micro_batches = parse_count(a, "--microbatches", most_micro_batches);
  if (!is_imported && !o.workers) refuse_missing("--workers", "P");
  if (!is_imported && !o.micro_batches) refuse_missing("--microbatches", "M");
  o.shape.workers = o.workers.value_or(1);
  o.shape.micro_batches = o.micro_batches.value_or(1);
  parse_shape(a, o);

  auto const cost = [&a](char const* option, Rational& value) {
    if (a.given(option)) value = parse_cost(option, a[option]);
  };
  cost("--forward", o.costs.worker.forward);
  cost("--backward-input", o.costs.worker.backward_input);
  cost("--backward-weight", o.costs.worker.backward_weight);
  cost("--latency", o.costs.latency);
  Rational const nothing;
  if (o.costs.worker.forward == nothing && o.costs.worker.backward_input == nothing &&
      o.costs.worker.backward_weight == nothing) {
    throw UsageError(
        "--forward, --backward-input, --backward-weight: all are 0; one of them above 0 would be right");
  }
  if (a.given("--edge-capacity"))
    o.edge_capacity =
        parse_integer<std::uint32_t>("--edge-capacity", a["--edge-capacity"], 0, most_micro_batches);
  read_path(a, "--import", o.import_path);
  read_path(a, "--export", o.export_path);
  read_path(a, "--trace", o.trace_path);
  read_path(a, "--svg", o.svg_path);
  weir_train::refuse_same_file(a, {"--export", "--trace", "--svg"}, {});
  weir_train::refuse_same_file(a, {"--trace", "--svg"}, {o.import_path});  // a schedule may be replaced
}

}  // namespace

char const* option_of(weir::ShapeParameter parameter) {
  constexpr char const* options[] = {"",        "--workers",       "--microbatches", "--chunks",
                                     "--group", "--warmup-factor", "--period",       "--blocks"};
  return options[static_cast<int>(parameter)];
}

Options parse_options(int argc, char const* const* argv) {
  Arguments a("Generates, checks, simulates and draws pipeline schedules, and cuts layers into stages.");
  declare(a);
  Options options;
  options.help = a.parse(argc, argv);
  if (!options.help.empty()) return options;
  if (a.given("--report")) {
    if (a["--report"] != "text" && a["--report"] != "json")
      refuse_value("--report", a["--report"], "text or json");
    options.json = a["--report"] == "json";
  }
  if (a.given("--seed")) parse_integer<std::uint64_t>("--seed", a["--seed"], 0);
  if (a.given("--threads")) parse_integer<std::size_t>("--threads", a["--threads"], 1);
  options.list = a.given("--list");
  if (options.list) return options;
  if (a.given("--partition")) {
    options.partition = parse_partition(a);
  } else {
    refuse_beside(a, {"--memory", "--memory-limit"}, "it belongs to --partition");
    parse_schedule(a, options);
  }
  return options;
}

}  // namespace weir_schedule
