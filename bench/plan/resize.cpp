// What it costs to change the layout between two steps, beside the step itself: a network of 1.3 million
// weights on a micro-batch of 32 samples. Goal: below the time of one step.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

constexpr std::size_t width = 512;
constexpr std::size_t layers = 5;
constexpr std::size_t local_batch = 32;

/// Linear layers, forward and backward, in plain loops.
struct Model {
  void operator()(auto& micro) const {
    std::size_t const samples = micro.samples().size();
    std::vector<float> activations[layers + 1];
    activations[0].assign(samples * width, 0.01f);
    for (std::size_t layer = 0; layer < layers; ++layer) {
      float const* const weights = micro.weights(layer).data();
      activations[layer + 1].assign(samples * width, 0.0f);
      for (std::size_t s = 0; s < samples; ++s) {
        for (std::size_t input = 0; input < width; ++input)
          add(activations[layer][s * width + input], weights + input * width,
              &activations[layer + 1][s * width]);
      }
    }
    std::vector<float> const& delta = activations[layers];
    for (std::size_t layer = layers; layer-- > 0;) {
      float* const gradient = micro.gradient(layer).data();
      if (!micro.accumulate()) std::fill(gradient, gradient + width * width, 0.0f);
      for (std::size_t s = 0; s < samples; ++s) {
        for (std::size_t input = 0; input < width; ++input)
          add(activations[layer][s * width + input], &delta[s * width], gradient + input * width);
      }
      micro.ready_parameter(layer);
    }
  }

  static void add(float factor, float const* row, float* sum) {
    for (std::size_t i = 0; i < width; ++i) sum[i] += factor * row[i];
  }
};

double milliseconds(auto const& work) {
  auto const begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

void resize(benchmark::State& state) {
  weir::WorkLayout const small{static_cast<std::size_t>(state.range(0)),
                               static_cast<std::size_t>(state.range(1)), local_batch};
  weir::WorkLayout const large{static_cast<std::size_t>(state.range(2)),
                               static_cast<std::size_t>(state.range(3)), local_batch};
  std::vector<float> values(width * width * layers, 0.001f);
  weir::HostExecutor const executor;
  auto const plan =
      weir::BucketPlan::per_parameter(std::vector<weir::Parameter>(layers, {.elements = width * width}));
  weir::StreamWorkerPool workers{executor, {.workers = 1, .buckets = plan, .local_batch = local_batch}};
  auto const recipe =
      weir::GradAccumulator{1} | weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0, .momentum = 0.9}};
  auto sync = recipe.on(workers, weir::view(values));
  std::vector<int> const samples(large.workers * large.micro_batches * local_batch);
  Model const model;
  auto const step = [&] {
    auto const& layout = sync.layout();
    sync(workers(std::span<int const>(samples).first(layout.workers * layout.micro_batches * local_batch),
                 model));
    sync.wait();
  };

  double resizes = 0;
  double steps = 0;
  for (auto _ : state) {
    sync.resize(small);
    step();
    steps += milliseconds(step);
    double const taken = milliseconds([&] {
      sync.resize(large);
      sync.settle();
    });
    step();
    resizes += taken;
    state.SetIterationTime(taken / 1000);
  }
  double const count = static_cast<double>(state.iterations());
  state.counters["step_before_ms"] = steps / count;
  state.counters["of_a_step"] = resizes / steps;
}
BENCHMARK(resize)
    ->ArgNames({"workers", "micro_batches", "to_workers", "to_micro_batches"})
    ->Args({2, 1, 4, 1})
    ->Args({2, 1, 2, 4})
    ->Args({2, 1, 4, 2})
    ->Iterations(20)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
