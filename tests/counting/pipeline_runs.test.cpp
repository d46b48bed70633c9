// Once a pipeline is bound, its runs take no memory and start no thread.
#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "counting/counters.hpp"
#include "pipeline/scalar_chain.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
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
