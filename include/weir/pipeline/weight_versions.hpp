#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/update_counter.hpp"

namespace weir::inline v1 {

/// What a table makes of the weights of a stage.
struct StageVersions {
  std::uint32_t delay = 0;    ///< the largest of a gradient, in updates
  std::uint32_t live = 1;     ///< versions needed at the same time
  std::uint32_t updates = 0;  ///< in the whole run
  friend constexpr bool operator==(StageVersions const&, StageVersions const&) = default;
};

/// For each stage, the larger of its two copies where a table has two. A version is live from its update
/// until its last reader has finished, and the latest one always.
///
/// Cost: 8 bytes per stage and period, and direction if there are two.
constexpr std::vector<StageVersions> weight_versions(TableView const& table) {
  UpdateCounter counter(table);
  std::size_t const versions = std::size_t{counter.periods()} + 1;
  std::vector<std::uint32_t> readers(2 * versions * table.stages(), 0);
  auto const lane = [&table](Operation const& operation) {
    return (operation.direction == Direction::reverse ? table.stages() : 0u) + std::size_t{operation.stage};
  };
  auto const readers_of = [&](Operation const& operation, std::uint32_t version) -> std::uint32_t& {
    return readers[lane(operation) * versions + version];
  };
  auto const reads = [&](Operation const& operation) {
    return is_compute(operation) && operation.stage < table.stages() && operation.version < versions;
  };
  for (Operation const& operation : table.operations()) {
    if (reads(operation)) ++readers_of(operation, operation.version);
  }

  std::vector<StageVersions> result(table.stages());
  std::vector<std::uint32_t> live(2 * std::size_t{table.stages()}, 1);
  for (Operation const& operation : table.operations()) {
    if (!reads(operation)) continue;
    StageVersions& stage = result[operation.stage];
    if (operation.period - operation.version > stage.delay && operation.period > operation.version)
      stage.delay = operation.period - operation.version;
    std::uint32_t& live_here = live[lane(operation)];
    std::uint32_t const before = counter.updates(operation);
    if (--readers_of(operation, operation.version) == 0 && operation.version < before) --live_here;
    if (counter.pass(operation)) {
      std::uint32_t const after = counter.updates(operation);
      // The latest stays live if it has readers left; so do those between, which were overtaken at once.
      for (std::uint32_t version = before; version < after; ++version) {
        if (readers_of(operation, version) != 0) ++live_here;
      }
      if (after > stage.updates) stage.updates = after;
    }
    if (live_here > stage.live) stage.live = live_here;
  }
  return result;
}

}  // namespace weir::inline v1
