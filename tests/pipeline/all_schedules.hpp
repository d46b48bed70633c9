#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "pipeline/staged_model.hpp"
#include "support/bits.hpp"
#include "weir/optim/sgd.hpp"

/// The staged network, trained by pipelines and by one worker.
namespace staged {

template <class Real, class Options>
std::vector<Real> train_pipeline(weir::ScheduleTable const& table, Stages<Real> const& stages, Batch batch,
                                 std::size_t steps, Options options) {
  std::vector<Real> weights = initial_weights<Real>(stages.total);
  weir::HostExecutor const executor;
  options.stages = stages.layouts;
  options.seed = 9;
  weir::InterleavedPipeline<weir::HostExecutor, Real> pipe{executor, table, options};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1, .momentum = 0.5}})
                  .on(pipe, weir::view(weights));
  for (std::size_t step = 0; step < steps; ++step) sync(pipe(batch, stages.list));
  sync.drain();
  return weights;
}

template <class Real>
std::vector<Real> train_one(std::size_t layers, Batch batch, std::size_t local_batch, std::size_t m,
                            bool has_dropout = false, std::size_t workers = 1) {
  return train_whole<Real>(layers, batch, local_batch, m, 5,
                           weir::Sgd{{.learning_rate = 0.1, .momentum = 0.5}}, has_dropout, workers);
}

inline char const* const one_direction[] = {"sequential", "gpipe", "1f1b", "interleaved-1f1b", "looped-bfs",
                                            "zb-h1",      "zb-h2", "zb-v", "dualpipe-v"};

template <class Real>
void check_all_schedules() {
  auto const data = samples(64);
  std::size_t ran = 0;
  for (char const* const name : one_direction) {
    auto const& schedule = *weir::find_schedule(name);
    for (std::uint32_t p = 1; p <= 4; ++p) {
      for (std::uint32_t m : {1u, 3u, 2 * p}) {
        for (std::uint32_t v = 1; v <= 3; ++v) {
          weir::ScheduleShape const shape{.workers = p, .micro_batches = m, .chunks = v};
          if (schedule.refusal(shape)) continue;
          auto const table = schedule.make_table(shape);
          CAPTURE(name);
          CAPTURE(p);
          CAPTURE(m);
          CAPTURE(v);
          // The last micro-batch is smaller than the others.
          Batch const batch = Batch(data).first(2 * m - 1);
          Stages<Real> const stages(std::vector<std::size_t>(table.properties().stages, 1));
          auto const weights =
              train_pipeline<Real>(table, stages, batch, 5, weir::PipelineOptions{.local_batch = 2});
          CHECK(same_bits(weights, train_one<Real>(stages.total, batch, 2, m)));
          ++ran;
        }
      }
    }
  }
  CHECK(ran > 100);
}

}  // namespace staged
