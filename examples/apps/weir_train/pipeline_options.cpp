#include "pipeline_options.hpp"

#include <string>
#include <vector>

#include "numbers.hpp"
#include "weir/pipeline/validate.hpp"

namespace weir_train {
namespace {

constexpr std::size_t most_workers = 256;
constexpr std::size_t most_chunks = 64;
constexpr std::size_t most_cells = std::size_t{1} << 22;  // of a table: stages times micro-batches

void refuse_alone(Arguments const& a) {
  for (char const* name : {"--pipeline-workers", "--chunks", "--period"}) {
    if (!a.given(name)) continue;
    throw UsageError(std::string(name) +
                     ": it is of a pipeline; --pipeline NAME beside it, or leaving it out, would be right");
  }
}

void refuse_together(Arguments const& a, Configuration const& c) {
  if (a.given("--adaptive"))
    throw UsageError("--adaptive: not available with --pipeline; leaving one of both out would be right");
  if (c.weight_sync != weir::WeightPolicy::shared) {
    throw UsageError("--weight-sync " + a["--weight-sync"] +
                     ": of a pipeline each worker has the weights of its stages; leaving it out would be "
                     "right");
  }
}

/// On a GPU a rank has one pipeline: several are summed by threads that wait for each other.
void refuse_on_gpu(Arguments const& a, Configuration const& c, weir::ScheduleTraits const& traits) {
  if (c.workers != 1) {
    throw UsageError("--workers " + a["--workers"] +
                     ": with --device cuda each rank has one pipeline; --workers 1, with --ranks " +
                     std::to_string(c.workers * c.ranks) + ", or --device host, would be right");
  }
  if (c.capture && !traits.synchronous) {
    throw UsageError(std::string("--capture on: ") + traits.name +
                     " has no flush, so that no run is like another; --capture off, or a schedule with a "
                     "flush such as 1f1b, would be right");
  }
}

weir::NamedSchedule const* parse_name(std::string const& name) {
  if (weir::NamedSchedule const* schedule = weir::find_schedule(name)) return schedule;
  std::vector<std::string> names;
  for (weir::NamedSchedule const& schedule : weir::schedule_catalog())
    names.emplace_back(schedule.traits.name);
  refuse_value("--pipeline", name, listed(names, "or"));
}

/// The option that stands for a parameter of the schedule.
char const* option_of(weir::ShapeParameter parameter, bool has_period) {
  switch (parameter) {
    case weir::ShapeParameter::workers:
      return "--pipeline-workers";
    case weir::ShapeParameter::chunks:
      return "--chunks";
    case weir::ShapeParameter::period:
      return has_period ? "--period" : "--micro-batches";
    default:
      return "--micro-batches";
  }
}

bool is_valid(PipelineSetup const& setup, std::size_t micro_batches, std::size_t period) {
  weir::ScheduleShape const shape = setup.shape(micro_batches, period);
  return !setup.schedule->refusal(shape) && weir::validate(setup.schedule->make_table(shape), {.most = 1});
}

/// Where there is no flush, late updates must not be waited for longer than a period: a rule that shows from
/// the third one on.
void check_period(PipelineSetup const& setup, std::size_t period, char const* option) {
  constexpr std::size_t periods = 4;
  if (period >= 2 * setup.workers || is_valid(setup, periods * period, period)) return;
  std::size_t right = period + 1;
  while (right < 2 * setup.workers && !is_valid(setup, periods * right, right)) ++right;
  throw UsageError(std::string(option) + " " + std::to_string(period) + ": " + setup.schedule->traits.name +
                   " over " + counted(setup.workers, "worker") + " needs " + std::to_string(right) +
                   " micro-batches per update or more; " + std::to_string(right) + " would be right");
}

void check_shape(PipelineSetup const& setup, Configuration const& c, bool has_period) {
  std::size_t const period = c.micro_batches;
  bool const has_flush = setup.schedule->traits.synchronous;
  std::size_t const micro_batches = has_flush || setup.run == 0 ? period : setup.run;
  weir::ScheduleShape const shape = setup.shape(micro_batches, period);
  if (weir::ShapeRefusal const refusal = setup.schedule->refusal(shape))
    throw UsageError(text(refusal, setup.schedule->traits.name, option_of(refusal.parameter, has_period)));
  weir::ScheduleShape const full = setup.schedule->completed(shape);
  std::size_t const stages = std::size_t{full.workers} * full.chunks;
  if (stages * micro_batches > most_cells) {
    throw UsageError(std::string(option_of(weir::ShapeParameter::micro_batches, false)) + " " +
                     std::to_string(micro_batches) + ": with " + std::to_string(stages) +
                     " stages the table is too large; " + std::to_string(most_cells / stages) +
                     " or less would be right");
  }
  if (!has_flush) check_period(setup, period, has_period ? "--period" : "--micro-batches");
}

}  // namespace

void declare_pipeline(Arguments& a, char const* group) {
  a.add("--pipeline", "NAME", "train over a pipeline of this schedule; weir-schedule --list names them",
        group);
  a.add("--pipeline-workers", "P",
        "of a pipeline; --workers then says how many pipelines a rank has, on a GPU one [2]", group);
  a.add("--chunks", "V", "stages per worker of the pipeline [what the schedule has; 2 where it is free]",
        group);
  a.add("--period", "M",
        "micro-batches per update where there is no flush; --micro-batches is then from one drain to the "
        "next [--micro-batches, and a drain per epoch]",
        group);
}

void parse_pipeline(Arguments const& a, Configuration& c) {
  if (!a.given("--pipeline")) return refuse_alone(a);
  PipelineSetup setup{.schedule = parse_name(a["--pipeline"]), .workers = 2};
  refuse_together(a, c);
  if (c.device == DeviceKind::cuda) refuse_on_gpu(a, c, setup.schedule->traits);
  if (a.given("--pipeline-workers"))
    setup.workers =
        parse_integer<std::size_t>("--pipeline-workers", a["--pipeline-workers"], 1, most_workers);
  if (a.given("--chunks"))
    setup.chunks = parse_integer<std::size_t>("--chunks", a["--chunks"], 1, most_chunks);
  constexpr std::size_t most_micro_batches = 1 << 20;
  if (c.micro_batches > most_micro_batches)
    refuse_value("--micro-batches", a["--micro-batches"],
                 "with --pipeline " + std::to_string(most_micro_batches) + " at most");
  bool const has_period = a.given("--period");
  if (has_period) {
    if (setup.schedule->traits.synchronous) {
      throw UsageError("--period " + a["--period"] + ": " + setup.schedule->traits.name +
                       " updates the weights after every flush; leaving it out would be right");
    }
    if (a.given("--micro-batches")) setup.run = c.micro_batches;
    c.micro_batches = parse_integer<std::size_t>("--period", a["--period"], 1, most_micro_batches);
  }
  check_shape(setup, c, has_period);
  c.pipeline = setup;
}

}  // namespace weir_train
