#pragma once

#include <cstdint>

#include "weir/comm/fingerprint.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// A hash of all operations of a table, in their places.
constexpr std::uint64_t table_hash(TableView const& table) {
  std::uint64_t hash = layout_hash(layout_hash_seed, table.workers());
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    hash = layout_hash(hash, table.begin_of(worker));
    for (Operation const& operation : table.worker(worker)) {
      hash = layout_hash(hash, std::uint64_t{operation.micro_batch} << 32 |
                                   std::uint64_t{operation.stage} << 16 |
                                   static_cast<std::uint64_t>(operation.kind) << 8 |
                                   static_cast<std::uint64_t>(operation.direction));
      hash = layout_hash(hash, std::uint64_t{operation.version} << 32 | operation.period);
    }
  }
  return hash;
}

}  // namespace weir::inline v1
