#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/stage/checkpoint.hpp"

namespace weir::inline v1::detail {

/// What a checkpoint says of a pipeline besides its parts: what its numbers depend on, and how far it has
/// come.
struct PipelineCheckpoint {
  std::uint64_t seed = 0;
  std::uint64_t micro_batches = 0;  // of an update
  std::uint64_t local_batch = 0;
  std::uint64_t replica = 0;
  std::vector<std::uint64_t> stages = {};  // at which the parts begin
  std::vector<std::uint64_t> delays = {};  // of the parts' gradients
  std::string selections = {};             // what is kept of messages, and by what

  template <class Archive>
  void save(Archive& archive, std::uint64_t updates) const {
    archive.put("pipeline.seed", 0, seed);
    archive.put("pipeline.shape", 0, std::vector<std::uint64_t>{micro_batches, local_batch, replica});
    archive.put("pipeline.stages", 0, stages);
    archive.put("pipeline.delays", 0, delays);
    archive.put("pipeline.updates", 0, updates);
    if (!selections.empty()) archive.put("pipeline.selections", 0, selections);
  }

  /// Gives the updates that had been made. Errors: `ArchiveError` that names the first field that differs,
  /// with both values.
  template <class Archive>
  std::uint64_t check(Archive const& archive, LoadOptions options) const {
    auto const parts = archive.template get<std::uint64_t>("pipeline.stages", 0);
    auto const late = archive.template get<std::uint64_t>("pipeline.delays", 0, parts.size());
    auto const shape = archive.template get<std::uint64_t>("pipeline.shape", 0, 3);
    compare("number of parts", parts.size(), stages.size());
    for (std::size_t part = 0; part < parts.size(); ++part)
      compare("first stage of part " + std::to_string(part), parts[part], stages[part]);
    auto const saved_seed = archive.template get_value<std::uint64_t>("pipeline.seed", 0);
    if (options.strict) {
      compare("seed", saved_seed, seed);
      compare("number of micro-batches of an update", shape[0], micro_batches);
      compare("local batch", shape[1], local_batch);
      compare("replica", shape[2], replica);
      for (std::size_t part = 0; part < parts.size(); ++part)
        compare("delay of part " + std::to_string(part), late[part], delays[part]);
      check_selections(archive);
    }
    return archive.template get_value<std::uint64_t>("pipeline.updates", 0);
  }

 private:
  template <class Archive>
  void check_selections(Archive const& archive) const {
    std::string saved;
    if (archive.contains("pipeline.selections", 0)) saved = archive.text("pipeline.selections", 0);
    if (saved == selections) return;
    throw ArchiveError("what is kept of messages that are not sent whole differs: '" + saved +
                       "' in the archive, '" + selections +
                       "' here; a load that is not strict starts what the archive does not have anew");
  }

  static void compare(std::string const& field, std::uint64_t saved, std::uint64_t here) {
    if (saved == here) return;
    throw ArchiveError("the " + field + " differs: " + std::to_string(saved) + " in the archive, " +
                       std::to_string(here) + " here");
  }
};

}  // namespace weir::inline v1::detail
