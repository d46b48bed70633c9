#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "idx.hpp"
#include "masking.hpp"
#include "pipeline_setup.hpp"
#include "sparsification.hpp"
#include "weir/optim/weight_sync.hpp"

namespace weir_train {

enum class ModelKind { mlp, cnn, gru, transformer };
enum class OptimizerKind { sgd, adamw };
enum class CommKind { self, threads, mpi, nccl };
enum class DeviceKind { host, cuda };

/// One training run.
struct Configuration {
  std::string name = {};  // empty: made from the rest
  std::optional<IdxPaths> idx = {};
  std::optional<std::string> text = {};  // a path
  std::string cifar10 = {};              // a folder; where there is none of these: the bundled digits
  ModelKind model = ModelKind::mlp;
  std::vector<std::size_t> hidden = {64, 64};
  std::optional<Masking> masking = {};  // none: all weights are live

  std::size_t batch = 32;  // samples per worker and micro-batch
  std::size_t epochs = 20;
  std::size_t workers = 1;
  std::size_t micro_batches = 1;
  std::size_t ranks = 1;
  CommKind comm = CommKind::self;
  DeviceKind device = DeviceKind::host;
  bool capture = false;          // on a GPU: replay the step as a CUDA graph
  bool is_process_each = false;  // a process for each rank
  std::size_t local_rank = 0;    // of this process, on its machine

  OptimizerKind optimizer = OptimizerKind::sgd;
  double learning_rate = 0.1;
  double momentum = 0.9;
  weir::WeightPolicy weight_sync = weir::WeightPolicy::shared;
  std::optional<std::size_t> bucket_bytes = {};
  std::optional<Sparsification> sparsification = {};  // none: gradients are sent whole
  bool adaptive = false;                              // the batch follows the noise of the gradients
  std::optional<PipelineSetup> pipeline = {};         // of which there is one for each worker

  std::uint64_t seed = 0;
  bool seed_is_given = false;  // if not, a checkpoint's holds
  std::size_t threads = 1;     // of this rank

  std::string save = {};
  std::string load = {};
  std::string trace = {};
  std::string timeline = {};
  bool writes_files = true;  // one process of several does

  /// Micro-batches of all ranks per step.
  std::size_t micro_batches_per_step() const { return workers * micro_batches * ranks; }
  std::size_t global_batch() const { return batch * micro_batches_per_step(); }
};

inline std::string name_of(ModelKind model) {
  constexpr char const* names[] = {"mlp", "cnn", "gru", "transformer"};
  return names[static_cast<int>(model)];
}

/// The network, its layers and their masks, such as "mlp 64-64" or "cnn, bibd mask".
inline std::string model_text(Configuration const& configuration) {
  std::string const mask = configuration.masking ? text_of(*configuration.masking) : "";
  std::string text = name_of(configuration.model);
  if (configuration.model == ModelKind::cnn) return text + mask;
  char separator = ' ';
  for (std::size_t const width : configuration.hidden) {
    text += std::exchange(separator, '-');
    text += std::to_string(width);
  }
  return text + mask;
}

/// ", GPU, captured"
inline std::string device_text(Configuration const& configuration) {
  if (configuration.device == DeviceKind::host) return {};
  return configuration.capture ? ", GPU, captured" : ", GPU";
}

inline std::string optimizer_text(Configuration const& configuration) {
  return configuration.optimizer == OptimizerKind::sgd ? "sgd" : "adamw";
}

/// "1 rank", "2 ranks".
inline std::string counted(std::size_t count, std::string const& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : what.ends_with("ch") ? "es" : "s");
}

/// Says what is special about a run, for a row of the report.
inline std::string title(Configuration const& configuration) {
  if (!configuration.name.empty()) return configuration.name;
  std::string text = model_text(configuration) + ", " + optimizer_text(configuration);
  if (configuration.ranks > 1) text += ", " + counted(configuration.ranks, "rank");
  text += ", " + counted(configuration.workers, configuration.pipeline ? "pipeline" : "worker");
  if (configuration.micro_batches > 1) text += " x " + counted(configuration.micro_batches, "micro-batch");
  if (configuration.pipeline) text += text_of(*configuration.pipeline);
  if (configuration.sparsification) text += text_of(*configuration.sparsification);
  if (configuration.adaptive) text += ", adaptive";
  return text + device_text(configuration);
}

}  // namespace weir_train
