#include "report.hpp"

#include <string>

#include "json_node.hpp"
#include "weir_train/table.hpp"

namespace weir_plan {
namespace {

using weir_train::aligned;
using weir_train::formatted;
using weir_train::TableRows;

double simulated_throughput(Answer const& answer) {
  return static_cast<double>(answer.plan.global_batch) / answer.simulated_seconds_per_step;
}

}  // namespace

std::string text_report(Answer const& answer) {
  weir::Plan const& plan = answer.plan;
  if (!plan.feasible)
    return "no plan for a global batch of " + std::to_string(plan.global_batch) + ": " + plan.reason + "\n";
  TableRows groups = {{"device", "count", "workers", "micro-batches"}};
  for (weir::PlanGroup const& group : plan.groups) {
    groups.push_back({group.device, std::to_string(group.count), std::to_string(group.workers),
                      std::to_string(group.micro_batches)});
  }
  TableRows rows = {{"local batch", std::to_string(plan.local_batch)},
                    {"weight sync", name_of(plan.weight_sync)},
                    {"step time [ms]", formatted("%.4f", 1000 * plan.seconds_per_step)},
                    {"throughput [samples/s]", formatted("%.3f", plan.samples_per_second())}};
  if (answer.is_simulated) {
    rows.push_back({"simulated step time [ms]", formatted("%.4f", 1000 * answer.simulated_seconds_per_step)});
    rows.push_back({"simulated throughput [samples/s]", formatted("%.3f", simulated_throughput(answer))});
  }
  return aligned(groups) + "\n" + aligned(rows);
}

std::string json_report(Answer const& answer) {
  weir::Plan const& plan = answer.plan;
  Json json = {{"feasible", plan.feasible},    {"reason", plan.reason},   {"local_batch", nullptr},
               {"weight_sync", nullptr},       {"groups", Json::array()}, {"seconds_per_step", nullptr},
               {"samples_per_second", nullptr}};
  if (answer.is_simulated) {
    json["simulated_seconds_per_step"] = nullptr;
    json["simulated_samples_per_second"] = nullptr;
  }
  if (plan.feasible) {
    json["local_batch"] = plan.local_batch;
    json["weight_sync"] = name_of(plan.weight_sync);
    for (weir::PlanGroup const& group : plan.groups) {
      json["groups"].push_back({{"device", group.device},
                                {"count", group.count},
                                {"workers", group.workers},
                                {"micro_batches", group.micro_batches}});
    }
    json["seconds_per_step"] = plan.seconds_per_step;
    json["samples_per_second"] = plan.samples_per_second();
    if (answer.is_simulated) {
      json["simulated_seconds_per_step"] = answer.simulated_seconds_per_step;
      json["simulated_samples_per_second"] = simulated_throughput(answer);
    }
  }
  return json.dump(2) + "\n";
}

std::string text_report(weir::Profile const& profile) {
  TableRows rows = {{"device", "local batch", "workers", "data [ms]", "forward [ms]", "backward [ms]",
                     "update [ms]", "copy [ms]"}};
  for (weir::DeviceProfile const& device : profile.devices) {
    for (weir::LocalBatchProfile const& batch : device.local_batches) {
      for (weir::ProfilePoint const& point : batch.points) {
        rows.push_back({device.name, std::to_string(batch.size), std::to_string(point.workers),
                        formatted("%.4f", point.data_ms), formatted("%.4f", point.forward_ms),
                        formatted("%.4f", point.backward_ms), formatted("%.4f", point.update_ms),
                        formatted("%.4f", point.copy_ms)});
      }
    }
  }
  return aligned(rows);
}

}  // namespace weir_plan
