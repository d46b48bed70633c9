#include "run.hpp"

#include <string_view>
#include <utility>

#include "weir/pipeline/activations.hpp"
#include "weir/pipeline/apply_weight_rule.hpp"
#include "weir/pipeline/compute_only.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/grid_csv.hpp"
#include "weir/pipeline/long_csv.hpp"
#include "weir/pipeline/schedule_svg.hpp"
#include "weir/pipeline/schedule_trace.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/validate.hpp"
#include "weir/pipeline/weight_versions.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/read_file.hpp"

namespace weir_schedule {
namespace {

using weir_train::UsageError;

constexpr std::uint64_t most_cells = std::uint64_t{1} << 24;
constexpr std::size_t most_errors = 100;
constexpr std::string_view long_ending = ".long.csv";

weir::ScheduleTable generate(Options const& o) {
  if (weir::ShapeRefusal const refusal = o.schedule->refusal(o.shape))
    throw UsageError(text(refusal, o.schedule->traits.name, option_of(refusal.parameter)));
  weir::ScheduleShape const shape = o.schedule->completed(o.shape);
  std::uint64_t const stages = std::uint64_t{shape.workers} * shape.chunks;
  if (stages * shape.micro_batches > most_cells) {
    throw UsageError("--microbatches " + std::to_string(shape.micro_batches) + ": with " +
                     std::to_string(stages) + " stages the table is too large; " +
                     std::to_string(most_cells / stages) + " or less would be right");
  }
  return o.schedule->make_table(o.shape);
}

/// The weight rule of a schedule, for a table that was not generated.
void apply_rule(weir::ScheduleTable& table, Options const& o) {
  if (o.schedule == nullptr || o.schedule->traits.synchronous) return;
  weir::TableProperties const& size = table.properties();
  bool const is_hopeless = std::uint64_t{size.stages} * size.micro_batches > most_cells &&
                           table.operations().size() < std::uint64_t{size.stages} * size.micro_batches;
  if (is_hopeless) return;  // which the check will say
  weir::ScheduleShape shape = o.shape;
  shape.workers = table.properties().workers;
  shape.micro_batches = table.properties().micro_batches;
  shape = o.schedule->completed(shape);
  std::string_view const name = o.schedule->traits.name;
  if (name == "pipedream") {
    if (shape.period != 1)
      throw UsageError("--period " + std::to_string(shape.period) +
                       ": pipedream updates the weights after every micro-batch; 1 would be right");
    weir::apply_latest_weights(table, shape.period);
    return;
  }
  // Of wpipe the first half of the stages is a group, wherever they are.
  if (name == "wpipe") shape.workers = table.properties().stages / 2;
  weir::apply_weight_rule(table, shape.period,
                          [&](std::uint32_t stage) { return o.schedule->weight_rule(shape, stage); });
}

weir::ScheduleTable read_table(std::string const& path) {
  try {
    return weir_train::read_file(path, [&](std::string const& text) {
      return path.ends_with(long_ending) ? weir::read_long_csv(text) : weir::read_grid_csv(text);
    });
  } catch (weir::TableFileError const& error) {
    throw UsageError("--import " + path + ": " + error.what());
  } catch (weir_train::RunError const& error) {
    throw UsageError(std::string("--import ") + error.what());
  }
}

weir::ScheduleTable import_table(Options const& o) {
  weir::ScheduleTable table = read_table(o.import_path);
  weir::TableProperties& properties = table.properties();
  if (o.workers && *o.workers != properties.workers) {
    throw UsageError("--workers " + std::to_string(*o.workers) + ": " + o.import_path + " has " +
                     std::to_string(properties.workers) + " rows; " + std::to_string(properties.workers) +
                     " would be right");
  }
  if (o.micro_batches && *o.micro_batches < properties.micro_batches) {
    throw UsageError("--microbatches " + std::to_string(*o.micro_batches) + ": " + o.import_path + " has " +
                     std::to_string(properties.micro_batches) + "; " +
                     std::to_string(properties.micro_batches) + " or more would be right");
  }
  if (o.micro_batches) properties.micro_batches = *o.micro_batches;
  properties.synchronous = true;
  properties.period = properties.micro_batches;
  for (weir::Operation& operation : table.operations()) operation.version = operation.period = 0;
  if (o.schedule != nullptr && !o.schedule->traits.chunks_are_free && o.shape.chunks != 0 &&
      o.shape.chunks != o.schedule->traits.chunks) {
    throw UsageError("--chunks " + std::to_string(o.shape.chunks) + ": " + o.schedule->traits.name + " has " +
                     std::to_string(o.schedule->traits.chunks) + "; that would be right");
  }
  apply_rule(table, o);
  return table;
}

Metrics measure(weir::TableView const& table, weir::Simulation const& simulation) {
  Metrics metrics;
  metrics.makespan = simulation.makespan();
  metrics.bubble_ratio = simulation.bubble_ratio();
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    metrics.idle.push_back(simulation.idle(worker));
    metrics.span_idle.push_back(simulation.span_idle(worker));
  }
  metrics.peak_activations = weir::peak_activations(table);
  for (weir::StageVersions const& stage : weir::weight_versions(table)) {
    metrics.weight_versions.push_back(stage.live);
    metrics.delay.push_back(stage.delay);
    metrics.updates.push_back(stage.updates);
  }
  metrics.min_edge_capacity = weir::min_edge_capacity(table);
  return metrics;
}

void write_files(Options const& o, weir::Timeline const& timeline, Verdict const& verdict,
                 OutputFiles& files) {
  if (!o.export_path.empty()) {
    bool const is_long = o.export_path.ends_with(long_ending);
    files.add("--export", o.export_path, is_long ? weir::long_csv(timeline) : weir::grid_csv(timeline.table));
  }
  if (!o.trace_path.empty()) files.add("--trace", o.trace_path, weir::schedule_trace(timeline));
  if (!o.svg_path.empty()) {
    std::string const title = verdict.name + ", " + std::to_string(verdict.workers) + " workers, " +
                              std::to_string(verdict.micro_batches) + " micro-batches";
    files.add("--svg", o.svg_path, weir::schedule_svg(timeline, {.title = title}));
  }
  files.finish();
}

}  // namespace

Verdict judge(Options const& o, OutputFiles& files) {
  weir::ScheduleTable const table = o.import_path.empty() ? generate(o) : import_table(o);
  Verdict verdict;
  verdict.name = o.schedule == nullptr ? "imported" : o.schedule->traits.name;
  verdict.workers = table.properties().workers;
  verdict.micro_batches = table.properties().micro_batches;
  std::uint32_t const capacity = o.edge_capacity.value_or(weir::unlimited_capacity);
  weir::Validation const validation = weir::validate(table, {.edge_capacity = capacity, .most = most_errors});
  verdict.errors = validation.text(most_errors);
  if (!validation) return verdict;
  try {
    weir::ScheduleTable const computed = weir::compute_only(table);
    weir::Simulation const simulation = weir::simulate(computed, o.costs, {.edge_capacity = capacity});
    verdict.metrics = measure(computed, simulation);
    write_files(o, weir::timeline(computed, simulation), verdict, files);
  } catch (weir::ContractViolation const& error) {
    throw UsageError(std::string("--forward, --backward-input, --backward-weight, --latency: ") +
                     error.what());
  }
  return verdict;
}

weir::Partition cut(PartitionRequest const& request) {
  try {
    weir::Rational const limit = request.memory_limit / weir::Rational(request.chunks);
    return weir::partition(request.costs, std::size_t{request.workers} * request.chunks,
                           {.memory = request.memory, .memory_limit = limit});
  } catch (weir::ContractViolation const& error) {
    throw UsageError(std::string("--partition: ") + error.what());
  }
}

}  // namespace weir_schedule
