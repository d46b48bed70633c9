#include "report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "weir_train/table.hpp"

namespace weir_sparsify {
namespace {

using Json = nlohmann::ordered_json;
using weir_train::aligned;
using weir_train::formatted;
using weir_train::grouped;
using weir_train::TableRows;

double quality(StepReport const& step) {
  if (step.k_target == 0) return 1.0;
  return static_cast<double>(step.statistics.k_selected) / static_cast<double>(step.k_target);
}

Json json_of(NamedStep const& named) {
  weir::SparsifyStatistics const& statistics = named.step.statistics;
  Cost const& cost = named.step.cost;
  return {{"file", named.file},
          {"n", statistics.size},
          {"k_target", named.step.k_target},
          {"k_selected", statistics.k_selected},
          {"quality", quality(named.step)},
          {"threshold", statistics.has_threshold != 0 ? Json(statistics.threshold) : Json(nullptr)},
          {"stages", statistics.stages},
          {"nonfinite", statistics.non_finite},
          {"overflow", statistics.overflow},
          {"seconds_estimate", cost.seconds_estimate},
          {"seconds_select", cost.seconds_select},
          {"bytes_read", cost.bytes_read},
          {"bytes_written", cost.bytes_written}};
}

std::vector<std::string> row_of(NamedStep const& named) {
  weir::SparsifyStatistics const& statistics = named.step.statistics;
  Cost const& cost = named.step.cost;
  return {named.file,
          grouped(statistics.size),
          grouped(named.step.k_target),
          grouped(statistics.k_selected),
          formatted("%.4f", quality(named.step)),
          statistics.has_threshold != 0 ? formatted("%.6g", statistics.threshold) : "-",
          std::to_string(statistics.stages),
          grouped(statistics.non_finite),
          grouped(statistics.overflow),
          formatted("%.6f", cost.seconds_estimate),
          formatted("%.6f", cost.seconds_select),
          grouped(cost.bytes_read),
          grouped(cost.bytes_written)};
}

/// A bandwidth may be infinite, which JSON cannot say.
Json json_of(Advice const& advice) {
  return {{"ranks", advice.network.ranks},
          {"method", weir::name_of(advice.method)},
          {"seconds_dense", advice.seconds_dense},
          {"seconds_sparse", advice.seconds_sparse},
          {"pays", advice.seconds_sparse < advice.seconds_dense},
          {"break_even_density", advice.density},
          {"break_even_bandwidth", std::isfinite(advice.bandwidth) ? Json(advice.bandwidth) : Json(nullptr)}};
}

std::string text_of(Advice const& advice) {
  bool const pays = advice.seconds_sparse < advice.seconds_dense;
  std::string text = "\nOver " + std::to_string(advice.network.ranks) + " ranks it " +
                     (pays ? "pays" : "does not pay") + ": " + weir::name_of(advice.method) + " takes " +
                     formatted("%.4g", 1e3 * advice.seconds_sparse) +
                     " ms with all that compressing takes, a dense ring " +
                     formatted("%.4g", 1e3 * advice.seconds_dense) + " ms. ";
  text += "It pays up to a density of " + formatted("%.4g", advice.density);
  text += std::isfinite(advice.bandwidth)
              ? ", and at this one up to " + formatted("%.4g", advice.bandwidth) + " bytes per second.\n"
              : ", and at this one at any bandwidth.\n";
  return text;
}

}  // namespace

std::string report(std::span<NamedStep const> steps, std::optional<Advice> const& advice, bool json) {
  if (json) {
    Json list = Json::array();
    for (NamedStep const& step : steps) list.push_back(json_of(step));
    constexpr auto replace = Json::error_handler_t::replace;  // names of files are any bytes
    Json all{{"steps", list}};
    if (advice) all["advice"] = json_of(*advice);
    return all.dump(2, ' ', false, replace) + "\n";
  }
  TableRows rows = {{"file", "elements", "k wanted", "k selected", "quality", "threshold", "stages",
                     "non-finite", "overflow", "estimate [s]", "select [s]", "read [B]", "written [B]"}};
  for (NamedStep const& step : steps) rows.push_back(row_of(step));
  std::string text = aligned(rows);
  if (steps.back().step.is_collapsed)
    text +=
        "\nThis number of stages has missed the density by far in 20 steps; --stages adaptive follows it.\n";
  if (advice) text += text_of(*advice);
  return text;
}

}  // namespace weir_sparsify
