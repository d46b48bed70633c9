// What a pipeline takes, by its own account and counted where memory is taken.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fault/counting_resource.hpp"
#include "pipeline/scalar_chain.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/weight_versions.hpp"
#include "weir/stage/recipe.hpp"

namespace {

/// As many versions as the table needs.
struct Versions {
  std::vector<weir::StageVersions> of_stage;
  std::uint32_t versions(std::uint32_t stage, std::uint32_t) const { return of_stage[stage].live; }
};

/// Before the first run and after it.
std::size_t check_bytes(char const* name, weir::ScheduleShape const& shape, weir::PipelineOptions options,
                        weir::EdgeSparsifier<weir::HostExecutor, double> const& sparsifier = {}) {
  CAPTURE(name);
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  auto const table = weir::find_schedule(name)->make_table(shape);
  options.stages = scalar_chain::layouts(table.view().stages());
  options.local_batch = 64;
  if (!sparsifier.is_none()) {
    for (weir::StageLayout& stage : options.stages) stage.codec = weir::EdgeCodec::sparse;
  }
  std::vector<double> weights(table.view().stages(), 0.5);
  scalar_chain::Model const model;
  std::vector<scalar_chain::Sample> const samples(64 * table.view().micro_batches(), {0.5, 0.25});
  weir::InterleavedPipeline<weir::HostExecutor, double, Versions> pipe{
      executor, table, options, {weir::weight_versions(table)}, weir::ThreadTransport(), sparsifier};
  CHECK(pipe.workspace_bytes() == memory.bytes());
  auto sync = (weir::LocalAggregator{} | weir::AdamW{{.learning_rate = 0.01}}).on(pipe, weir::view(weights));
  std::size_t const bytes = sync.workspace_bytes();
  CHECK(bytes > pipe.workspace_bytes());
  CHECK(bytes == memory.bytes());
  for (int run = 0; run < 2; ++run) sync(pipe(scalar_chain::Batch(samples), model));
  sync.drain();
  CHECK(bytes == memory.bytes());
  CHECK(bytes == memory.peak());
  return bytes;
}

}  // namespace

TEST_CASE("a bound pipeline takes what workspace_bytes says, before its first run") {
  weir::ScheduleShape const four{.workers = 4, .micro_batches = 8};
  std::size_t const plain = check_bytes("1f1b", four, {});
  CHECK(check_bytes("gpipe", four, {}) > plain);
  check_bytes("1f1b", four, {.recompute = weir::Recompute::always});
  check_bytes("chimera", four, {});
  check_bytes("zb-v", {.workers = 2, .micro_batches = 8}, {});
  CHECK(check_bytes("pipedream-2bw", {.workers = 4, .micro_batches = 16, .period = 4}, {}) > plain);
  check_bytes("wpipe", {.workers = 2, .micro_batches = 8, .period = 2}, {});
  auto const feedback = weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.05}}};
  CHECK(check_bytes("1f1b", four, {}, feedback) > plain);
}
