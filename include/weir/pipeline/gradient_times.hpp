#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1::detail {

/// When the gradient of each stage and period is complete.
class GradientTimes {
 public:
  static constexpr std::int64_t not_yet = -1;

  constexpr GradientTimes() = default;
  constexpr explicit GradientTimes(TableView const& table)
      : periods_((table.micro_batches() + std::size_t{table.period()} - 1) / table.period()) {
    left_.assign(table.stages() * periods_, 0);
    end_.assign(table.stages() * periods_, 0);
    for (Operation const& operation : table.operations()) {
      if (gives_weight_gradient(operation)) ++left_[operation.stage * periods_ + operation.period];
    }
  }

  constexpr void note(Operation const& operation, std::int64_t end) {
    if (!gives_weight_gradient(operation)) return;
    std::size_t const at = operation.stage * periods_ + operation.period;
    --left_[at];
    if (end_[at] < end) end_[at] = end;
  }

  /// Of the gradient that an update makes version `version` of.
  constexpr std::int64_t complete(std::size_t stage, std::uint32_t version) const {
    std::size_t const at = stage * periods_ + version - 1;
    return left_[at] == 0 ? end_[at] : not_yet;
  }

 private:
  std::size_t periods_ = 0;
  std::vector<std::uint32_t> left_;
  std::vector<std::int64_t> end_;
};

}  // namespace weir::inline v1::detail
