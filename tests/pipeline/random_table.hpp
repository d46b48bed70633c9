#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

using Rows = std::vector<std::vector<weir::Operation>>;

/// A valid table: stages on random workers, whole or split backwards, in a random order that its operations
/// could have been done in.
class RandomTable {
 public:
  explicit RandomTable(std::uint32_t seed) : random_(seed) {
    properties.workers = below(3) + 1;
    properties.stages = below(4) + 1;
    properties.micro_batches = properties.period = below(4) + 1;
    place();
    run();
  }

  std::uint32_t below(std::size_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  weir::ScheduleTable table() const { return weir::ScheduleTable(properties, rows); }

  weir::TableProperties properties;
  Rows rows;
  std::vector<std::uint32_t> worker_of;  // each stage

 private:
  struct Cell {
    bool is_split = false;
    int done = 0;  // 1: F, 2: B or I, 3: W
  };

  void place() {
    rows.resize(properties.workers);
    for (std::uint32_t stage = 0; stage < properties.stages; ++stage)
      worker_of.push_back(below(properties.workers));
    cells_.resize(std::size_t{properties.stages} * properties.micro_batches);
    for (Cell& cell : cells_) cell.is_split = below(2) == 1;
  }
  Cell& cell(std::uint32_t stage, std::uint32_t j) { return cells_[stage * properties.micro_batches + j]; }

  void run() {
    std::size_t left = 0;
    for (Cell const& each : cells_) left += each.is_split ? 3 : 2;
    while (left > 0) {
      std::uint32_t const stage = below(properties.stages);
      std::uint32_t const j = below(properties.micro_batches);
      left -= do_next(stage, j) ? 1 : 0;
    }
  }
  bool do_next(std::uint32_t stage, std::uint32_t j) {
    Cell& here = cell(stage, j);
    weir::OperationKind kind = weir::OperationKind::forward;
    if (here.done == 0) {
      if (stage > 0 && cell(stage - 1, j).done == 0) return false;
    } else if (here.done == 1) {
      if (stage + 1 < properties.stages && cell(stage + 1, j).done < 2) return false;
      kind = here.is_split ? weir::OperationKind::backward_input : weir::OperationKind::backward;
    } else if (here.done == 2 && here.is_split) {
      kind = weir::OperationKind::backward_weight;
    } else {
      return false;
    }
    ++here.done;
    rows[worker_of[stage]].push_back({kind, weir::Direction::forward, static_cast<std::uint16_t>(stage), j});
    return true;
  }

  std::mt19937 random_;
  std::vector<Cell> cells_;
};
