// Pipelines on streams of a device, enqueued and captured, against the host's threads.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/verb_oracle.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/vocabulary.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

namespace {

constexpr std::size_t width = 4099;

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 7 % 13) / 8.3f - 0.7f;
  return values;
}

struct Versions {
  std::uint32_t count = 1;
  std::uint32_t versions(std::uint32_t, std::uint32_t) const { return count; }
};

/// Stages y = x + w of one sample, whose loss is half of y^2; in verbs of either executor.
struct Stage {
  void forward(auto& micro) const {
    auto const& executor = micro.executor();
    auto const y = micro.saved();
    if (micro.is_first_stage()) {
      fill(executor, y, 0.125f);
      add_scaled(executor, micro.samples(), 0.75f, y.part(0, 1));
    } else {
      copy(executor, micro.input(), y);
    }
    add_scaled(executor, micro.weights(0), 1.0f, y);
    if (!micro.is_last_stage()) copy(executor, y, micro.output());
  }
  void backward_input(auto& micro) const {
    if (micro.is_first_stage()) return;
    copy(micro.executor(), gradient_of(micro), micro.input_gradient());
    add_scaled(micro.executor(), micro.weights(0), 0.0625f, micro.input_gradient());
  }
  void backward_weight(auto& micro) const {
    auto const gradient = micro.gradient(0);
    if (!micro.accumulate()) set_zero(micro.executor(), gradient);
    add_scaled(micro.executor(), gradient_of(micro), 0.3f, gradient);
  }

 private:
  static auto gradient_of(auto& micro) {
    auto const last = micro.output_gradient();
    return micro.is_last_stage() ? decltype(last)(micro.saved()) : last;
  }
};

template <class E>
std::vector<float> train(E const& executor, char const* schedule, weir::ScheduleShape const& shape,
                         std::uint32_t versions, bool is_captured) {
  auto const table = weir::find_schedule(schedule)->make_table(shape);
  std::size_t const stages = table.properties().stages;
  weir::StageLayout const layout{.parameters = {width}, .outputs = {{width}}, .saved = width};
  std::vector<float> const start = numbers(stages * width);
  std::vector<float> const samples = numbers(shape.micro_batches);
  weir::Buffer<float, E> const weights(executor, start.size());
  weir::Buffer<float, E> const batch(executor, samples.size());
  weir::from_host(executor, std::span<float const>(start), weights.view());
  weir::from_host(executor, std::span<float const>(samples), batch.view());
  Stage const stage;
  using Pipe = weir::InterleavedPipeline<E, float, Versions>;
  Pipe pipe{executor, table, {.stages = std::vector<weir::StageLayout>(stages, layout)}, Versions{versions}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}})
                  .on(pipe, weights.view());
  auto const run = [&] { sync(pipe(weir::ViewOn<float const, E>(batch.view()), stage)); };
  run();
  if constexpr (std::is_same_v<E, weir::CudaExecutor>) {
    if (is_captured) {
      auto const graph = weir::CudaGraph::capture(executor, run);
      for (int i = 0; i < 20; ++i) graph.replay();
      sync.replayed(20);
    }
  }
  for (int i = 0; !is_captured && i < 20; ++i) run();
  run();
  sync.drain();
  return weir::to_host(executor, weights.view());
}

void compare(char const* schedule, weir::ScheduleShape const& shape, std::uint32_t versions = 1) {
  CAPTURE(schedule);
  auto const expected = train(weir::HostExecutor(), schedule, shape, versions, false);
  for (int repeat = 0; repeat < 5; ++repeat)
    CHECK(oracle::same(train(weir::CudaExecutor(), schedule, shape, versions, false), expected));
  if (versions == 1) CHECK(oracle::same(train(weir::CudaExecutor(), schedule, shape, 1, true), expected));
}

}  // namespace

TEST_CASE("a pipeline over streams gives the bits of threads, and so does a captured one") {
  for (char const* schedule : {"gpipe", "1f1b", "zb-h1", "zb-h2"})
    compare(schedule, {.workers = 4, .micro_batches = 8});
  for (char const* schedule : {"1f1b", "interleaved-1f1b", "zb-v", "dualpipe-v"})
    compare(schedule, {.workers = 2, .micro_batches = 8});
}

TEST_CASE("so do schedules without a flush") {
  compare("wpipe", {.workers = 2, .micro_batches = 8, .period = 2}, 2);
  compare("pipedream-2bw", {.workers = 3, .micro_batches = 9, .period = 3}, 2);
  compare("pipedream", {.workers = 3, .micro_batches = 7}, 3);
}
