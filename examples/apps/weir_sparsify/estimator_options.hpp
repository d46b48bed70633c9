#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "estimator.hpp"
#include "weir/exec/sparsify_constants.hpp"
#include "weir/exec/threshold_adaptation.hpp"
#include "weir_train/numbers.hpp"

namespace weir_sparsify {

inline std::vector<std::string> all_estimators() {
  return {estimator_names.begin(), estimator_names.end()};
}

/// The value of `--estimator`. Errors: `UsageError`.
inline Estimator parse_estimator(std::string const& value) {
  auto const names = all_estimators();
  auto const found = std::find(names.begin(), names.end(), value);
  if (found == names.end()) weir_train::refuse_value("--estimator", value, weir_train::listed(names, "or"));
  return static_cast<Estimator>(found - names.begin());
}

/// The value of `--stages`. Errors: `UsageError`.
inline weir::StageConstants parse_stage_count(std::string const& value) {
  weir::StageConstants stages;
  if (value == "adaptive") {
    stages.count = weir::StageCount::adaptive;
    return stages;
  }
  auto const is_digit = [](char c) { return '0' <= c && c <= '9'; };
  if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit))
    weir_train::refuse_value("--stages", value, "a whole number of at least 1, or adaptive,");
  stages.stages = weir_train::parse_integer<std::uint32_t>("--stages", value, 1, weir::most_stages);
  return stages;
}

/// Whether a threshold is fitted once.
inline bool is_one_stage(weir::StageConstants const& stages) {
  return stages.count == weir::StageCount::fixed && stages.stages == 1;
}

}  // namespace weir_sparsify
