#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/skip_edge.hpp"

namespace weir::inline v1 {

/// An edge between two workers, for outputs or for gradients, and the most messages that were on it at a
/// time.
struct EdgeLoad {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool is_forward = true;
  std::uint64_t peak = 0;
};

/// The edges of a table on which operations have begun and ended at the given times, where no send had to
/// wait. A message is on its edge from the end of its producer to the begin of its consumer.
constexpr std::vector<EdgeLoad> edge_loads(TableView const& table, OperationIndex const& index,
                                           std::span<std::int64_t const> start,
                                           std::span<std::int64_t const> end,
                                           std::span<SkipEdge const> skips = {}) {
  struct Edge {
    EdgeLoad load;
    std::vector<std::int64_t> sent;      // when; in order, as one worker sends
    std::vector<std::int64_t> received;  // likewise
  };
  std::vector<Edge> edges;
  auto const edge = [&edges](std::uint32_t from, std::uint32_t to, bool ahead) -> Edge& {
    for (Edge& candidate : edges) {
      if (candidate.load.from == from && candidate.load.to == to && candidate.load.is_forward == ahead)
        return candidate;
    }
    edges.push_back({{from, to, ahead, 0}, {}, {}});
    return edges.back();
  };
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    std::size_t position = table.begin_of(worker);
    for (Operation const& operation : table.worker(worker)) {
      std::size_t const at = position++;
      bool const ahead = is_forward(operation);
      if (!ahead && !gives_input_gradient(operation)) continue;
      auto const link = [&](std::uint32_t stage, bool sends) {
        std::uint32_t const peer = index.worker_of(operation.direction, stage);
        if (peer == worker) return;
        if (sends) {
          edge(worker, peer, ahead).sent.push_back(end[at]);
        } else {
          edge(peer, worker, ahead).received.push_back(start[at]);
        }
      };
      if (operation.stage > 0) link(operation.stage - 1u, !ahead);
      if (operation.stage + 1u < table.stages()) link(operation.stage + 1u, ahead);
      for (SkipEdge const& skip : skips) {
        if (skip.from == operation.stage) link(skip.to, ahead);
        if (skip.to == operation.stage) link(skip.from, !ahead);
      }
    }
  }
  std::vector<EdgeLoad> loads;
  for (Edge& each : edges) {
    std::size_t gone = 0;
    for (std::size_t i = 0; i < each.sent.size(); ++i) {
      while (gone < i && each.received[gone] <= each.sent[i]) ++gone;
      if (i + 1 - gone > each.load.peak) each.load.peak = i + 1 - gone;
    }
    loads.push_back(each.load);
  }
  return loads;
}

}  // namespace weir::inline v1
