#pragma once

#include <cstdint>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// Calls `visit(position)` with each operation that one needs, skip edges aside: what comes before it on its
/// way through the model, and its own forward or input gradient.
template <class Visit>
constexpr void for_each_dependency(TableView const& table, OperationIndex const& index,
                                   Operation const& operation, Visit const& visit) {
  Direction const way = operation.direction;
  std::uint32_t const stage = operation.stage;
  std::uint32_t const j = operation.micro_batch;
  auto const visit_present = [&visit](std::uint32_t position) {
    if (position != OperationIndex::none) visit(position);
  };
  if (is_forward(operation)) {
    if (stage > 0) visit_present(index.forward(way, stage - 1, j));
  } else if (gives_input_gradient(operation)) {
    visit_present(index.forward(way, stage, j));
    if (stage + 1 < table.stages()) visit_present(index.input(way, stage + 1, j));
  } else if (operation.kind == OperationKind::backward_weight) {
    visit_present(index.input(way, stage, j));
  }
}

}  // namespace weir::inline v1
