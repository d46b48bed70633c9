#include "report.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "weir_train/table.hpp"

namespace weir_design {
namespace {

using Json = nlohmann::ordered_json;
using weir_train::aligned;
using weir_train::formatted;
using weir_train::grouped;
using weir_train::TableRows;

std::string dump(Json const& json) {
  return json.dump(2) + "\n";
}

std::string text_of(weir::DegreeRange const& range) {
  std::string const least = std::to_string(range.least);
  return range.least == range.most ? least : least + ".." + std::to_string(range.most);
}

Json json_of(weir::DegreeRange const& range) {
  return Json::array({range.least, range.most});
}

Json json_of(std::optional<double> const& seconds) {
  return seconds ? Json(*seconds) : Json();
}

Json json_of(Description const& d) {
  Json json = {{"family", d.family},
               {"inputs", d.inputs},
               {"outputs", d.outputs},
               {"nnz", d.nnz},
               {"density", d.density},
               {"row_degree", json_of(d.row_degree)},
               {"column_degree", json_of(d.column_degree)}};
  if (d.lambda) {
    json["lambda"] = Json::object();
    for (weir::LambdaCount const& count : *d.lambda)
      json["lambda"][std::to_string(count.meetings)] = std::to_string(count.pairs);
  }
  json["exact"] = d.exact;
  json["sigma2"] = d.sigma2;
  json["table_bytes"] = d.table_bytes;
  json["seconds_construct"] = d.seconds_construct;
  if (!d.kernels) return json;
  json["seconds_multiply"] = d.kernels->multiply;
  json["seconds_input_gradient"] = json_of(d.kernels->input_gradient);
  json["seconds_weight_gradient"] = json_of(d.kernels->weight_gradient);
  return json;
}

std::string names_of(std::vector<std::size_t> const& widths) {
  std::string text;
  for (std::size_t const width : widths) {
    if (!text.empty()) text += '-';
    text += std::to_string(width);
  }
  return text;
}

}  // namespace

std::string report(Description const& d, bool json) {
  if (json) return dump(json_of(d));
  TableRows facts = {{"family", d.family},
                     {"outputs x inputs", std::to_string(d.outputs) + " x " + std::to_string(d.inputs)},
                     {"live entries", grouped(d.nnz)},
                     {"density", formatted("%.6f", d.density)},
                     {"entries per row", text_of(d.row_degree)},
                     {"entries per column", text_of(d.column_degree)},
                     {"balanced incomplete block design", d.exact ? "yes" : "no"},
                     {"second singular value", formatted("%.6g", d.sigma2)},
                     {"tables [B]", grouped(d.table_bytes)},
                     {"construction [s]", formatted("%.6f", d.seconds_construct)}};
  if (d.kernels) {
    facts.push_back({"product [s]", formatted("%.6f", d.kernels->multiply)});
    if (d.kernels->input_gradient)
      facts.push_back({"input gradient [s]", formatted("%.6f", *d.kernels->input_gradient)});
    if (d.kernels->weight_gradient)
      facts.push_back({"weight gradient [s]", formatted("%.6f", *d.kernels->weight_gradient)});
  }
  std::string const text = aligned(facts);
  if (!d.lambda || d.lambda->empty()) return text;
  TableRows rows = {{"meetings", "pairs of inputs"}};
  for (weir::LambdaCount const& count : *d.lambda)
    rows.push_back({std::to_string(count.meetings), grouped(count.pairs)});
  return text + "\n" + aligned(rows);
}

std::string report(weir::Feasibility const& f, bool json) {
  if (json) return dump({{"verdict", name_of(f.verdict)}, {"reason", f.reason}});
  return std::string(name_of(f.verdict)) + ": " + f.reason + "\n";
}

std::string report(std::vector<MlpRow> const& table, bool json) {
  if (json) {
    Json rows = Json::array();
    for (MlpRow const& row : table) {
      rows.push_back({{"name", row.name},
                      {"layers", row.widths},
                      {"dense_parameters", row.dense.all},
                      {"legacy_parameters", row.legacy.all},
                      {"balanced_parameters", row.balanced.all},
                      {"biases", row.biases},
                      {"dense_layers", row.dense.layers},
                      {"legacy_layers", row.legacy.layers},
                      {"balanced_layers", row.balanced.layers}});
    }
    return dump({{"table", "mlp"}, {"rows", rows}});
  }
  TableRows rows = {
      {"network", "widths", "dense [weights]", "legacy [weights]", "balanced [weights]", "biases"}};
  for (MlpRow const& row : table) {
    rows.push_back({row.name, names_of(row.widths), grouped(row.dense.all), grouped(row.legacy.all),
                    grouped(row.balanced.all), grouped(row.biases)});
  }
  return aligned(rows);
}

std::string report(std::vector<ResNetRow> const& table, bool json) {
  if (json) {
    Json rows = Json::array();
    for (ResNetRow const& row : table) {
      rows.push_back({{"name", row.name},
                      {"groups", row.groups},
                      {"dense_flops", row.dense.flops},
                      {"dense_parameters", row.dense.parameters},
                      {"legacy_flops", row.legacy ? Json(row.legacy->flops) : Json()},
                      {"legacy_parameters", row.legacy ? Json(row.legacy->parameters) : Json()},
                      {"balanced_flops", row.balanced.flops},
                      {"balanced_parameters", row.balanced.parameters}});
    }
    return dump({{"table", "resnet"}, {"rows", rows}});
  }
  TableRows rows = {{"network", "groups", "dense [FLOP]", "legacy [FLOP]", "balanced [FLOP]",
                     "dense [parameters]", "legacy [parameters]", "balanced [parameters]"}};
  for (ResNetRow const& row : table) {
    rows.push_back({row.name, std::to_string(row.groups), grouped(row.dense.flops),
                    row.legacy ? grouped(row.legacy->flops) : "-", grouped(row.balanced.flops),
                    grouped(row.dense.parameters), row.legacy ? grouped(row.legacy->parameters) : "-",
                    grouped(row.balanced.parameters)});
  }
  return aligned(rows);
}

}  // namespace weir_design
