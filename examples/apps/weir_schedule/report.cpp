#include "report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace weir_schedule {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

std::string dump(Json const& json) {
  return json.dump(2) + "\n";
}

/// Columns, each as wide as its widest cell.
std::string aligned(Rows const& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (auto const& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string lines;
  for (auto const& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      lines += (i == 0 ? "" : "  ") + std::string(widths[i] - row[i].size(), ' ') + row[i];
    }
    lines += '\n';
  }
  return lines;
}

Json texts(std::vector<weir::Rational> const& numbers) {
  Json list = Json::array();
  for (weir::Rational const& number : numbers) list.push_back(text(number));
  return list;
}

Json json_of(Verdict const& verdict) {
  Json json = {{"name", verdict.name},
               {"workers", verdict.workers},
               {"microbatches", verdict.micro_batches},
               {"valid", verdict.metrics.has_value()},
               {"errors", verdict.errors}};
  if (!verdict.metrics) {
    for (char const* key : {"makespan", "idle", "span_idle", "peak_activations", "weight_versions", "delay",
                            "updates", "min_edge_capacity", "bubble_ratio"}) {
      json[key] = nullptr;
    }
    return json;
  }
  Metrics const& metrics = *verdict.metrics;
  json["makespan"] = text(metrics.makespan);
  json["idle"] = texts(metrics.idle);
  json["span_idle"] = texts(metrics.span_idle);
  json["peak_activations"] = metrics.peak_activations;
  json["weight_versions"] = metrics.weight_versions;
  json["delay"] = metrics.delay;
  json["updates"] = metrics.updates;
  json["min_edge_capacity"] = metrics.min_edge_capacity;
  json["bubble_ratio"] = text(metrics.bubble_ratio);
  return json;
}

std::string text_of(Verdict const& verdict) {
  std::string lines = verdict.name + ": " + std::to_string(verdict.workers) + " workers, " +
                      std::to_string(verdict.micro_batches) + " micro-batches, " +
                      (verdict.metrics ? "valid" : "invalid") + "\n";
  for (std::string const& error : verdict.errors) lines += error + "\n";
  if (!verdict.metrics) return lines;
  Metrics const& metrics = *verdict.metrics;
  lines += "\n" + aligned({{"makespan [units]", "bubble ratio", "min edge capacity [messages]"},
                           {text(metrics.makespan), text(metrics.bubble_ratio),
                            std::to_string(metrics.min_edge_capacity)}});
  Rows workers = {{"worker", "idle [units]", "span idle [units]", "peak activations [chunks]"}};
  for (std::size_t i = 0; i < metrics.idle.size(); ++i) {
    workers.push_back({std::to_string(i), text(metrics.idle[i]), text(metrics.span_idle[i]),
                       std::to_string(metrics.peak_activations[i])});
  }
  Rows stages = {{"stage", "weight versions", "delay [updates]", "updates"}};
  for (std::size_t i = 0; i < metrics.delay.size(); ++i) {
    stages.push_back({std::to_string(i), std::to_string(metrics.weight_versions[i]),
                      std::to_string(metrics.delay[i]), std::to_string(metrics.updates[i])});
  }
  return lines + "\n" + aligned(workers) + "\n" + aligned(stages);
}

/// Empty stages end before they begin.
std::string last_layer(weir::LayerRange const& stage) {
  return std::to_string(static_cast<std::int64_t>(stage.end) - 1);
}

}  // namespace

std::string report_names(bool json) {
  Json names = Json::array();
  std::string lines;
  for (weir::NamedSchedule const& schedule : weir::schedule_catalog()) {
    names.push_back(schedule.traits.name);
    lines += std::string(schedule.traits.name) + "\n";
  }
  return json ? dump({{"schedules", names}}) : lines;
}

std::string report(Verdict const& verdict, bool json) {
  return json ? dump(json_of(verdict)) : text_of(verdict);
}

std::string report(weir::Partition const& partition, PartitionRequest const& request, bool json) {
  if (!partition) {
    weir::Rational const limit = request.memory_limit / weir::Rational(request.chunks);
    std::string const error = "memory: no partition keeps the memory of every stage within " + text(limit);
    return json ? dump({{"stages", Json::array()}, {"bottleneck", nullptr}, {"errors", {error}}})
                : error + "\n";
  }
  Json stages = Json::array();
  Rows rows = {{"stage", "worker", "first layer", "last layer", "cost"}};
  for (std::size_t i = 0; i < partition.stages.size(); ++i) {
    weir::LayerRange const& stage = partition.stages[i];
    stages.push_back({stage.first, static_cast<std::int64_t>(stage.end) - 1});
    weir::Rational cost;
    for (std::size_t layer = stage.first; layer < stage.end; ++layer) cost += request.costs[layer];
    rows.push_back({std::to_string(i), std::to_string(i % request.workers), std::to_string(stage.first),
                    last_layer(stage), text(cost)});
  }
  if (json) return dump({{"stages", stages}, {"bottleneck", text(partition.bottleneck)}});
  return "bottleneck " + text(partition.bottleneck) + "\n\n" + aligned(rows);
}

}  // namespace weir_schedule
