#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "options.hpp"
#include "output_files.hpp"
#include "weir/pipeline/partition.hpp"
#include "weir/pipeline/rational.hpp"

namespace weir_schedule {

/// What a valid table gives.
struct Metrics {
  weir::Rational makespan = 0;
  std::vector<weir::Rational> idle = {};             // of each worker
  std::vector<weir::Rational> span_idle = {};        // of each worker
  std::vector<std::uint32_t> peak_activations = {};  // of each worker
  std::vector<std::uint32_t> weight_versions = {};   // of each stage
  std::vector<std::uint32_t> delay = {};             // of each stage
  std::vector<std::uint32_t> updates = {};           // of each stage
  std::uint32_t min_edge_capacity = 0;
  weir::Rational bubble_ratio = 0;
};

/// What is said of a table.
struct Verdict {
  std::string name = {};
  std::uint32_t workers = 0;
  std::uint32_t micro_batches = 0;
  std::vector<std::string> errors = {};
  std::optional<Metrics> metrics = {};  // of a valid one
};

/// Generates or reads a table, checks and simulates it, and writes the files, which are not yet in place.
/// Errors: `UsageError`.
Verdict judge(Options const& options, OutputFiles& files);

/// Errors: `UsageError`.
weir::Partition cut(PartitionRequest const& request);

}  // namespace weir_schedule
