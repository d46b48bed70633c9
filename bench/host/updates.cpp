// The verbs that go over a whole bucket once, beside a plain copy.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "copy_roof.hpp"
#include "weir/core/half.hpp"
#include "weir/host/executor.hpp"

namespace {

constexpr std::size_t bucket_bytes = 25'000'000;
constexpr std::size_t size = bucket_bytes / sizeof(float);

struct Bench {
  explicit Bench(benchmark::State& benchmark_state)
      : state(benchmark_state), executor({.threads = static_cast<std::size_t>(state.range(0))}) {}

  template <class Enqueue>
  void run(std::size_t bytes_per_element, Enqueue const& enqueue) {
    against_copy(state, executor, bucket_bytes, size * bytes_per_element, enqueue);
  }

  benchmark::State& state;
  weir::HostExecutor executor;
  weir::OptimizerState optimizer{.learning_rate = 1e-3, .step = 1, .beta1_power = 0.9, .beta2_power = 0.999};
  std::vector<float> weights = std::vector<float>(size, 0.5f);
  std::vector<float> gradient = std::vector<float>(size, 0.01f);
};

void sgd_plain(benchmark::State& state) {
  Bench bench(state);
  bench.run(12, [&] {
    auto const weights = weir::view(bench.weights);
    sgd_update(bench.executor, weights, weights, weir::view(bench.gradient), {}, {}, &bench.optimizer, {});
  });
}

void sgd_momentum(benchmark::State& state) {
  Bench bench(state);
  std::vector<float> velocity(size);
  bench.run(20, [&] {
    auto const weights = weir::view(bench.weights);
    sgd_update(bench.executor, weights, weights, weir::view(bench.gradient), weir::view(velocity),
               {.momentum = 0.9, .weight_decay = 1e-4, .nesterov = true}, &bench.optimizer, {});
  });
}

void adamw(benchmark::State& state) {
  Bench bench(state);
  std::vector<float> first(size), second(size);
  bench.run(28, [&] {
    auto const weights = weir::view(bench.weights);
    adamw_update(bench.executor, weights, weights, weir::view(bench.gradient), weir::view(first),
                 weir::view(second), {}, &bench.optimizer, {});
  });
}

void add_scaled_float(benchmark::State& state) {
  Bench bench(state);
  bench.run(12,
            [&] { add_scaled(bench.executor, weir::view(bench.gradient), 0.5f, weir::view(bench.weights)); });
}

void measure_float(benchmark::State& state) {
  Bench bench(state);
  weir::Measurement measurement;
  bench.run(4, [&] { measure(bench.executor, weir::view(bench.gradient), &measurement); });
}

template <class To>
void copy_float_to(benchmark::State& state) {
  Bench bench(state);
  std::vector<To> to(size);
  bench.run(4 + sizeof(To), [&] { copy(bench.executor, weir::view(bench.weights), weir::view(to)); });
}

void fill_float(benchmark::State& state) {
  Bench bench(state);
  bench.run(4, [&] { fill(bench.executor, weir::view(bench.weights), 1.0f); });
}

BENCHMARK(sgd_plain)->Apply(thread_counts);
BENCHMARK(sgd_momentum)->Apply(thread_counts);
BENCHMARK(adamw)->Apply(thread_counts);
BENCHMARK(add_scaled_float)->Apply(thread_counts);
BENCHMARK(measure_float)->Apply(thread_counts);
BENCHMARK(copy_float_to<weir::bfloat16>)->Apply(thread_counts);
BENCHMARK(copy_float_to<weir::half>)->Apply(thread_counts);
BENCHMARK(copy_float_to<float>)->Apply(thread_counts);
BENCHMARK(fill_float)->Apply(thread_counts);

}  // namespace

BENCHMARK_MAIN();
