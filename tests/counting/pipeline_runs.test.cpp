// Once a pipeline is bound, its runs take no memory and start no thread.
#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "counting/counters.hpp"
#include "pipeline/joined_transport.hpp"
#include "pipeline/scalar_chain.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule/chimera.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/stage/recipe.hpp"

TEST_CASE("runs of a pipeline take no memory and start no thread") {
  std::vector<double> weights = scalar_chain::initial_weights();
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double, weir::GroupDoubleBuffer> pipe{
      executor,
      weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = 8, .period = 2}),
      {.stages = scalar_chain::layouts(4)}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25, .momentum = 0.5}})
                  .on(pipe, weir::view(weights));
  auto const run = [&] {
    sync(pipe(scalar_chain::Batch(scalar_chain::samples), model));
    sync(pipe(scalar_chain::Batch(scalar_chain::samples), model));
    sync.drain();
  };
  run();
  std::size_t const allocations = counters::allocations;
  std::size_t const threads = counters::threads_started;
  for (int i = 0; i < 5; ++i) run();
  CHECK(counters::allocations == allocations);
  CHECK(counters::threads_started == threads);
}

TEST_CASE("so do runs that send what a sparsifier selects") {
  std::vector<double> weights = scalar_chain::initial_weights();
  scalar_chain::Model const model;
  weir::HostExecutor const exec;
  auto stages = scalar_chain::layouts(4);
  for (weir::StageLayout& stage : stages) stage.codec = weir::EdgeCodec::sparse;
  std::vector<scalar_chain::Sample> samples;
  while (samples.size() < 8 * 64) samples.push_back(scalar_chain::samples[samples.size() % 8]);
  weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
      exec,
      weir::make_table<weir::OneFOneB>({.workers = 4, .micro_batches = 8}),
      {.stages = stages, .local_batch = 64},
      {},
      weir::ThreadTransport(),
      weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.05}}}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  auto const run = [&] {
    sync(pipe(scalar_chain::Batch(samples), model));
    sync(pipe(scalar_chain::Batch(samples), model));
    sync.drain();
  };
  run();
  std::size_t const allocations = counters::allocations;
  for (int i = 0; i < 5; ++i) run();
  CHECK(counters::allocations == allocations);
}

TEST_CASE("so do runs whose gradients are added in several processes") {
  using Pipe = weir::InterleavedPipeline<weir::HostExecutor, double, weir::Single, JoinedTransport>;
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  auto const table = weir::make_table<weir::Chimera>({.workers = 2, .micro_batches = 8});
  auto const group = std::make_shared<JoinedTransport::Group>();
  std::vector<std::size_t> const places{0, 1};
  weir::PipelineOptions const options{.stages = scalar_chain::layouts(2)};
  Pipe first{executor, table, options, {}, JoinedTransport(group, places, 0)};
  Pipe second{executor, table, options, {}, JoinedTransport(group, places, 1)};
  std::vector<double> first_weights(2, 0.5);
  std::vector<double> second_weights(2, 0.5);
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}};
  auto sync_first = recipe.on(first, weir::view(first_weights));
  auto sync_second = recipe.on(second, weir::view(second_weights));
  auto const run = [&] {
    for (int i = 0; i < 2; ++i) {
      sync_first(first(scalar_chain::Batch(scalar_chain::samples), model));
      sync_second(second(scalar_chain::Batch(scalar_chain::samples), model));
    }
    sync_first.drain();
    sync_second.drain();
  };
  run();
  std::size_t const allocations = counters::allocations;
  for (int i = 0; i < 5; ++i) run();
  CHECK(counters::allocations == allocations);
  CHECK(first_weights == second_weights);
}
