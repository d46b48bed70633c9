#include "report.hpp"

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "replica_sums.hpp"
#include "table.hpp"

namespace weir_train {
namespace {

std::string hexadecimal(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

std::string text_report(std::span<Outcome const> outcomes) {
  TableRows rows = {{"configuration", "test accuracy [%]", "train loss", "samples/s", "sent/step [B]",
                     "weights kept", "peak [B]", "steps", "time [s]"}};
  for (Outcome const& o : outcomes) {
    rows.push_back({o.name, formatted("%.2f", 100 * o.test_accuracy), formatted("%.5f", o.train_loss),
                    grouped(static_cast<std::size_t>(o.samples_per_second)), grouped(o.bytes_sent_per_step),
                    grouped(o.nonzero_parameters), grouped(o.peak_bytes), grouped(o.steps),
                    formatted("%.3f", o.seconds)});
  }
  std::string text = aligned(rows);
  for (Outcome const& o : outcomes) {
    if (o.advice) text += text_of(*o.advice, o.name);
    if (o.sums) text += text_of(*o.sums, o.name);
  }
  return text;
}

std::string json_report(std::span<Outcome const> outcomes) {
  nlohmann::ordered_json configurations = nlohmann::ordered_json::array();
  for (Outcome const& o : outcomes) {
    configurations.push_back({{"name", o.name},
                              {"test_accuracy", o.test_accuracy},
                              {"train_loss", o.train_loss},
                              {"samples_per_second", o.samples_per_second},
                              {"bytes_sent_per_step", o.bytes_sent_per_step},
                              {"parameters", o.parameters},
                              {"nonzero_parameters", o.nonzero_parameters},
                              {"steps", o.steps},
                              {"seconds", o.seconds},
                              {"peak_bytes", o.peak_bytes},
                              {"weights_hash", hexadecimal(o.weights_hash)}});
    if (o.advice) {
      configurations.back()["advice"] = {{"pays", o.advice->pays()},
                                         {"seconds_dense", o.advice->seconds_dense},
                                         {"seconds_sparse", o.advice->seconds_sparse},
                                         {"break_even_density", o.advice->density}};
    }
  }
  return nlohmann::ordered_json{{"configurations", configurations}}.dump(2) + "\n";
}

}  // namespace weir_train
