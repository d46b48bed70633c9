#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weir/pipeline/rational.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/simulation_costs.hpp"

namespace weir_schedule {

/// What is to be cut into stages.
struct PartitionRequest {
  std::vector<weir::Rational> costs = {};
  std::vector<weir::Rational> memory = {};
  weir::Rational memory_limit = 0;  // of a worker
  std::uint32_t workers = 1;
  std::uint32_t chunks = 1;
};

/// What the command line says.
struct Options {
  std::string help = {};  // what --help prints; if not empty, the rest has no meaning
  bool json = false;
  bool list = false;
  std::optional<PartitionRequest> partition = {};

  weir::NamedSchedule const* schedule = nullptr;  // null: an imported table without a name
  std::optional<std::uint32_t> workers = {};
  std::optional<std::uint32_t> micro_batches = {};
  weir::ScheduleShape shape = {};
  weir::SimulationCosts costs = {};
  std::optional<std::uint32_t> edge_capacity = {};
  std::string import_path = {};
  std::string export_path = {};
  std::string trace_path = {};
  std::string svg_path = {};
};

/// Errors: `UsageError` with one line that names the option, what is wrong and what would be right.
Options parse_options(int argc, char const* const* argv);

/// The option that sets a parameter of the shape.
char const* option_of(weir::ShapeParameter parameter);

}  // namespace weir_schedule
