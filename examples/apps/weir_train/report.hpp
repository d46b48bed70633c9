#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "advice.hpp"
#include "weir/pipeline/hidden_reduce.hpp"

namespace weir_train {

/// What came out of a run.
struct Outcome {
  std::string name = {};
  double test_accuracy = 0;
  double train_loss = 0;  // mean over the samples of the last epoch, on all ranks
  double samples_per_second = 0;
  std::size_t bytes_sent_per_step = 0;  // handed by one rank to its collectives
  std::size_t parameters = 0;           // without masks
  std::size_t nonzero_parameters = 0;   // live ones
  std::size_t steps = 0;
  double seconds = 0;
  std::size_t peak_bytes = 0;  // of a rank: weights, gradients, optimizer state
  std::uint64_t weights_hash = 0;
  std::optional<Advice> advice = {};            // where several ranks have sent part of their gradients
  std::optional<weir::HiddenReduce> sums = {};  // of a pipeline with replicas, where least is hidden
};

/// A table, one row per run; under it, a line for each in which sparsifying does not pay, or whose pipeline
/// has replicas.
std::string text_report(std::span<Outcome const> outcomes);

/// One JSON object, on one line per value.
std::string json_report(std::span<Outcome const> outcomes);

}  // namespace weir_train
