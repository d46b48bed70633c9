#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "configuration.hpp"
#include "errors.hpp"
#include "weir/state/archive.hpp"

namespace weir_train {

/// What a checkpoint says besides the state of the recipe.
struct RunState {
  std::string model = {};
  std::string optimizer = {};
  std::uint64_t sparsified_ranks = 0;  // 0: gradients were sent whole
  std::uint64_t seed = 0;
  std::uint64_t samples = 0;  // of an epoch
  std::uint64_t epoch = 0;    // the first that has not been trained
  std::uint64_t is_pipeline = 0;

  void save(weir::Archive& archive) const {
    archive.put("weir-train.model", 0, model);
    archive.put("weir-train.optimizer", 0, optimizer);
    archive.put("weir-train.sparsified-ranks", 0, sparsified_ranks);
    archive.put("weir-train.seed", 0, seed);
    archive.put("weir-train.samples", 0, samples);
    archive.put("weir-train.epoch", 0, epoch);
    archive.put("weir-train.is-pipeline", 0, is_pipeline);
  }

  /// Errors: `ArchiveError` for an archive of another program.
  static RunState load(weir::Archive const& archive) {
    bool const may_be_sparsified = archive.contains("weir-train.sparsified-ranks", 0);
    return {std::string(archive.text("weir-train.model", 0)),
            std::string(archive.text("weir-train.optimizer", 0)),
            may_be_sparsified ? archive.get_value<std::uint64_t>("weir-train.sparsified-ranks", 0) : 0,
            archive.get_value<std::uint64_t>("weir-train.seed", 0),
            archive.get_value<std::uint64_t>("weir-train.samples", 0),
            archive.get_value<std::uint64_t>("weir-train.epoch", 0),
            archive.contains("weir-train.is-pipeline", 0)
                ? archive.get_value<std::uint64_t>("weir-train.is-pipeline", 0)
                : 0};
  }

  /// `path` is that of the checkpoint. Errors: `RunError` that names the first thing that differs from
  /// `wanted`; `UsageError` where nothing is left to be trained.
  void check(RunState const& wanted, Configuration const& configuration, std::string const& path) const {
    auto const compare = [&](char const* what, std::string const& saved, std::string const& here) {
      if (saved == here) return;
      throw RunError(path + ": a checkpoint with " + what + " " + saved + "; " + here +
                     ", as the options say, would be right");
    };
    compare("the model", model, wanted.model);
    compare("the optimizer", optimizer, wanted.optimizer);
    compare("gradients", sent(), wanted.sent());
    compare("weights of", parts(), wanted.parts());
    if (configuration.seed_is_given) compare("seed", std::to_string(seed), std::to_string(wanted.seed));
    compare("a training set of", std::to_string(samples), std::to_string(wanted.samples));
    if (epoch >= configuration.epochs) {
      throw UsageError("--epochs " + std::to_string(configuration.epochs) + ": " + path + " has " +
                       std::to_string(epoch) + " behind it; more than that would be right");
    }
  }

 private:
  /// What is kept of gradients that were not sent belongs to a rank.
  std::string sent() const {
    if (sparsified_ranks == 0) return "sent whole";
    return "sparsified by " + counted(sparsified_ranks, "rank");
  }
  /// Each stage of a pipeline has a state of its own.
  std::string parts() const { return is_pipeline != 0 ? "a pipeline" : "a model that is not cut"; }
};

}  // namespace weir_train
