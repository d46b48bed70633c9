// The verbs that go over a whole bucket once, beside a plain copy, and beside what a trainer would write
// instead: a loop, and Eigen, over the same parts on the same threads.

#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "copy_roof.hpp"
#include "weir/core/half.hpp"
#include "weir/host/executor.hpp"

namespace {

constexpr std::size_t bucket_bytes = 25'000'000;
constexpr std::size_t size = bucket_bytes / sizeof(float);

/// Elements `begin` to `end` as Eigen sees them.
template <class Vector>
auto part_of(Vector& values, std::size_t begin, std::size_t end) {
  using Element = typename Vector::value_type;
  return Eigen::Map<Eigen::Array<Element, Eigen::Dynamic, 1>>(values.data() + begin,
                                                              static_cast<Eigen::Index>(end - begin));
}

constexpr float rate = 1e-3f;

struct Bench {
  explicit Bench(benchmark::State& benchmark_state)
      : state(benchmark_state), executor({.threads = static_cast<std::size_t>(state.range(0))}) {}

  template <class Enqueue>
  void run(std::size_t bytes_per_element, Enqueue const& enqueue, std::vector<Peer> const& peers = {}) {
    against_copy(state, executor, bucket_bytes, size * bytes_per_element, enqueue, peers);
  }

  /// `part(begin, end)` for the part of each thread.
  template <class Part>
  Peer peer(char const* name, Part part) {
    return {name, [this, part] {
              auto& team = executor.team();
              std::size_t const length = (size + team.size() - 1) / team.size();
              team.run(team.size(), [&](std::size_t index) {
                part(std::min(size, index * length), std::min(size, (index + 1) * length));
              });
            }};
  }

  benchmark::State& state;
  weir::HostExecutor executor;
  weir::OptimizerState optimizer{.learning_rate = 1e-3, .step = 1, .beta1_power = 0.9, .beta2_power = 0.999};
  std::vector<float> weights = std::vector<float>(size, 0.5f);
  std::vector<float> gradient = std::vector<float>(size, 0.01f);
};

void sgd_plain(benchmark::State& state) {
  Bench bench(state);
  bench.run(12,
            [&] {
              auto const weights = weir::view(bench.weights);
              sgd_update(bench.executor, weights, weights, weir::view(bench.gradient), {}, {},
                         &bench.optimizer, {});
            },
            {bench.peer("loop/ours",
                        [&](std::size_t begin, std::size_t end) {
                          for (std::size_t i = begin; i < end; ++i)
                            bench.weights[i] -= rate * bench.gradient[i];
                        }),
             bench.peer("eigen/ours", [&](std::size_t begin, std::size_t end) {
               part_of(bench.weights, begin, end) -= rate * part_of(bench.gradient, begin, end);
             })});
}

void sgd_momentum(benchmark::State& state) {
  Bench bench(state);
  std::vector<float> velocity(size);
  bench.run(20,
            [&] {
              auto const weights = weir::view(bench.weights);
              sgd_update(bench.executor, weights, weights, weir::view(bench.gradient), weir::view(velocity),
                         {.momentum = 0.9, .weight_decay = 1e-4, .nesterov = true}, &bench.optimizer, {});
            },
            {bench.peer("loop/ours",
                        [&](std::size_t begin, std::size_t end) {
                          for (std::size_t i = begin; i < end; ++i) {
                            float const g = 1e-4f * bench.weights[i] + bench.gradient[i];
                            velocity[i] = 0.9f * velocity[i] + g;
                            bench.weights[i] -= rate * (0.9f * velocity[i] + g);
                          }
                        }),
             bench.peer("eigen/ours", [&](std::size_t begin, std::size_t end) {
               auto w = part_of(bench.weights, begin, end);
               auto v = part_of(velocity, begin, end);
               auto const g = 1e-4f * w + part_of(bench.gradient, begin, end);
               v = 0.9f * v + g;
               w -= rate * (0.9f * v + g);
             })});
}

void adamw(benchmark::State& state) {
  Bench bench(state);
  std::vector<float> first(size), second(size);
  bench.run(28,
            [&] {
              auto const weights = weir::view(bench.weights);
              adamw_update(bench.executor, weights, weights, weir::view(bench.gradient), weir::view(first),
                           weir::view(second), {}, &bench.optimizer, {});
            },
            {bench.peer("loop/ours",
                        [&](std::size_t begin, std::size_t end) {
                          for (std::size_t i = begin; i < end; ++i) {
                            float const g = bench.gradient[i];
                            first[i] = 0.9f * first[i] + 0.1f * g;
                            second[i] = 0.999f * second[i] + 0.001f * g * g;
                            bench.weights[i] -=
                                rate * (0.01f * bench.weights[i] +
                                        first[i] * 10.0f / (std::sqrt(second[i] * 1000.0f) + 1e-8f));
                          }
                        }),
             bench.peer("eigen/ours", [&](std::size_t begin, std::size_t end) {
               auto w = part_of(bench.weights, begin, end);
               auto m = part_of(first, begin, end);
               auto v = part_of(second, begin, end);
               auto const g = part_of(bench.gradient, begin, end);
               m = 0.9f * m + 0.1f * g;
               v = 0.999f * v + 0.001f * g.square();
               w -= rate * (0.01f * w + m * 10.0f / ((v * 1000.0f).sqrt() + 1e-8f));
             })});
}

void add_scaled_float(benchmark::State& state) {
  Bench bench(state);
  bench.run(12,
            [&] { add_scaled(bench.executor, weir::view(bench.gradient), 0.5f, weir::view(bench.weights)); },
            {bench.peer("loop/ours",
                        [&](std::size_t begin, std::size_t end) {
                          for (std::size_t i = begin; i < end; ++i)
                            bench.weights[i] += 0.5f * bench.gradient[i];
                        }),
             bench.peer("eigen/ours", [&](std::size_t begin, std::size_t end) {
               part_of(bench.weights, begin, end) += 0.5f * part_of(bench.gradient, begin, end);
             })});
}

void measure_float(benchmark::State& state) {
  Bench bench(state);
  weir::Measurement measurement;
  // The peers give the norm only: not how many numbers are not finite, nor the same bits for any number of
  // threads.
  bench.run(4, [&] { measure(bench.executor, weir::view(bench.gradient), &measurement); },
            {bench.peer("loop/ours",
                        [&](std::size_t begin, std::size_t end) {
                          double sum = 0.0;
                          for (std::size_t i = begin; i < end; ++i)
                            sum += static_cast<double>(bench.gradient[i]) *
                                   static_cast<double>(bench.gradient[i]);
                          benchmark::DoNotOptimize(sum);
                        }),
             bench.peer("eigen/ours", [&](std::size_t begin, std::size_t end) {
               benchmark::DoNotOptimize(part_of(bench.gradient, begin, end).cast<double>().square().sum());
             })});
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
