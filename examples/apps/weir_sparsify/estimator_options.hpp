#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "estimator.hpp"
#include "weir/exec/sparsify_constants.hpp"
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

/// The value of `--stages`, which does nothing where no distribution is fitted. Errors: `UsageError`.
inline weir::StageConstants parse_stages(std::string const& value, Estimator estimator) {
  weir::StageConstants stages;
  auto const is_digit = [](char c) { return '0' <= c && c <= '9'; };
  if (value == "adaptive") {
    stages.count = weir::StageCount::adaptive;
  } else if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit)) {
    weir_train::refuse_value("--stages", value, "a whole number of at least 1, or adaptive,");
  } else {
    stages.stages = weir_train::parse_integer<std::uint32_t>("--stages", value, 1);
  }
  bool const is_one = stages.count == weir::StageCount::fixed && stages.stages == 1;
  if (has_one_stage(estimator) && !is_one) {
    weir_train::refuse_value("--stages", value,
                             "1, all that " + std::string(estimator_names[std::size_t(estimator)]) +
                                 " has, or another --estimator,");
  }
  return stages;
}

}  // namespace weir_sparsify
