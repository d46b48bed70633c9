// Selection without error feedback, beside one plain read of the data by the same threads. The arguments are
// threads, log2 of the number of elements, and 1 / density. WEIR's goals are in goal_of_read, for 2^25
// elements and more: 1.3 for histogram and topk at density 0.001, 2.5 at 0.01, 4 at 0.1; 2.5 for exponential
// up to 0.01. What does not fit into memory is skipped, with a line that says so.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "has_memory.hpp"
#include "read_roof.hpp"
#include "sparsifier.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/gamma.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold/sampled_top_k.hpp"

namespace {

std::vector<float> const& data(std::size_t size) {
  static std::vector<float> values;
  if (values.size() != size) values = laplace(size);
  return values;
}

struct Setting {
  explicit Setting(benchmark::State const& state)
      : executor({.threads = static_cast<std::size_t>(state.range(0))}),
        values(data(std::size_t{1} << state.range(1))),
        density(1.0 / static_cast<double>(state.range(2))) {}

  weir::HostExecutor executor;
  std::vector<float> const& values;
  double density;
};

constexpr double bytes_of_element = 12.0;  // 2^28 are a gigabyte, and a selection takes as much again

/// 0: none.
template <class Policy>
double goal_of_read(benchmark::State const& state, double density) {
  if (state.range(1) < 25) return 0.0;
  if (std::is_same_v<Policy, weir::Exponential>) return density <= 0.01 ? 2.5 : 0.0;
  if (!weir::RankedThreshold<Policy>) return 0.0;
  return density <= 0.001 ? 1.3 : density <= 0.01 ? 2.5 : 4.0;
}

template <class Policy>
void select(benchmark::State& state) {
  if (!has_memory(state, bytes_of_element)) return;
  Setting setting(state);
  Sparsifier<Policy> sparsifier(setting.executor, setting.values, setting.density);
  in_turns_with(state, [&] { sparsifier.run(); }, {read_of(setting.executor, setting.values)});
  state.counters["quality"] = quality_of(sparsifier.state().last);
  double const goal = goal_of_read<Policy>(state, setting.density);
  if (goal != 0.0) state.counters["goal_of_read"] = goal;
}

template <class Policy>
void select_in_three_stages(benchmark::State& state) {
  if (!has_memory(state, bytes_of_element)) return;
  Setting setting(state);
  Sparsifier<Policy> sparsifier(setting.executor, setting.values, setting.density);
  sparsifier.work().constants.stages.stages = 3;
  in_turns_with(state, [&] { sparsifier.run(); }, {read_of(setting.executor, setting.values)});
  state.counters["quality"] = quality_of(sparsifier.state().last);
}

/// What a fit knows before it selects: the moments of the magnitudes, with the mean of their logarithms where
/// the distribution has need of it. The density makes no difference.
template <bool Logarithms>
void estimate(benchmark::State& state) {
  if (!has_memory(state, bytes_of_element)) return;
  Setting setting(state);
  std::size_t const size = setting.values.size();
  weir::ThreadTeam& team = setting.executor.team();
  std::vector<std::byte> scratch(sparsify_scratch_bytes<float>(setting.executor, size, setting.density));
  weir::detail::CandidatePool<float> const pool(scratch.data(), size, team.size());
  weir::detail::SelectionPasses<float> passes(team, pool, setting.values.data(), size);
  weir::detail::GivenInput<float> const input{setting.values.data()};
  in_turns_with(state, [&] { benchmark::DoNotOptimize(passes.accumulate<true, Logarithms>(input)); },
                {read_of(setting.executor, setting.values)});
}

/// A threshold that is kept for 32 steps.
void select_reusing(benchmark::State& state) {
  if (!has_memory(state, bytes_of_element)) return;
  Setting setting(state);
  Sparsifier<weir::GeneralizedPareto> sparsifier(setting.executor, setting.values, setting.density);
  sparsifier.work().constants.reuse.interval = 32;
  in_turns_with(state, [&] { sparsifier.run(); }, {read_of(setting.executor, setting.values)});
  state.counters["quality"] = quality_of(sparsifier.state().last);
}

/// What one would write with the standard library: magnitudes, their k-th largest, and a loop that keeps what
/// is above it. `of_nth_element` is the time of the verb over that.
void against_nth_element(benchmark::State& state) {
  Setting setting(state);
  Sparsifier<weir::ExactTopK> sparsifier(setting.executor, setting.values, setting.density);
  std::size_t const size = setting.values.size();
  auto const k = static_cast<std::ptrdiff_t>(setting.density * static_cast<double>(size));
  std::vector<float> magnitudes(size);
  std::vector<std::uint32_t> indices(static_cast<std::size_t>(k));
  std::vector<float> values(static_cast<std::size_t>(k));
  Other const peer{"nth_element", [&] {
                     auto const& x = setting.values;
                     weir::detail::share(setting.executor.team(), size, 8,
                                         [&](std::size_t begin, std::size_t end) {
                                           for (std::size_t i = begin; i < end; ++i)
                                             magnitudes[i] = std::abs(x[i]);
                                         });
                     std::nth_element(magnitudes.begin(), magnitudes.begin() + (k - 1), magnitudes.end(),
                                      [](float a, float b) { return a > b; });
                     float const threshold = magnitudes[static_cast<std::size_t>(k - 1)];
                     std::size_t count = 0;
                     for (std::size_t i = 0; i < size; ++i) {
                       if (std::abs(x[i]) >= threshold && count < indices.size()) {
                         indices[count] = static_cast<std::uint32_t>(i);
                         values[count++] = x[i];
                       }
                     }
                     benchmark::DoNotOptimize(count);
                   }};
  in_turns_with(state, [&] { sparsifier.run(); }, {peer, read_of(setting.executor, setting.values)});
}

void arguments(benchmark::internal::Benchmark* benchmark, std::vector<int> const& sizes,
               std::vector<int> const& inverse_densities, int iterations) {
  benchmark->ArgNames({"threads", "log2_size", "one_in"})->UseManualTime()->Unit(benchmark::kMillisecond);
  benchmark->Iterations(iterations);
  int const all = static_cast<int>(std::thread::hardware_concurrency());
  for (int size : sizes) {
    for (int one_in : inverse_densities) {
      benchmark->Args({1, size, one_in});
      if (all > 1) benchmark->Args({all, size, one_in});
    }
  }
}
void all_densities(benchmark::internal::Benchmark* benchmark) {
  arguments(benchmark, {18, 22, 24, 25, 26, 28}, {10, 100, 1000}, 21);
}
void some_sizes(benchmark::internal::Benchmark* benchmark) {
  arguments(benchmark, {18, 22, 25, 28}, {100, 1000}, 21);
}
void one_density(benchmark::internal::Benchmark* benchmark) {
  arguments(benchmark, {18, 22, 25, 28}, {100}, 21);
}
void one_size(benchmark::internal::Benchmark* benchmark) {
  arguments(benchmark, {25}, {100, 1000}, 21);
}

BENCHMARK(estimate<false>)->Name("estimate_moments")->Apply(one_density);
BENCHMARK(estimate<true>)->Name("estimate_logarithms")->Apply(one_density);
BENCHMARK(select<weir::Histogram>)->Name("histogram")->Apply(all_densities);
BENCHMARK(select<weir::ExactTopK>)->Name("topk")->Apply(all_densities);
BENCHMARK(select<weir::Exponential>)->Name("exponential")->Apply(some_sizes);
BENCHMARK(select<weir::GeneralizedPareto>)->Name("generalized_pareto")->Apply(some_sizes);
BENCHMARK(select_in_three_stages<weir::GeneralizedPareto>)->Name("generalized_pareto_3")->Apply(some_sizes);
BENCHMARK(select<weir::Gamma>)->Name("gamma")->Apply(some_sizes);
BENCHMARK(select_reusing)->Name("reused_threshold")->Apply(some_sizes);
BENCHMARK(select<weir::SampledTopK>)->Name("dgc")->Apply(some_sizes);
BENCHMARK(select<weir::GaussianK>)->Name("gaussian_k")->Apply(some_sizes);
BENCHMARK(select<weir::RandomK>)->Name("random_k")->Apply(some_sizes);
BENCHMARK(against_nth_element)->Name("topk_against_nth_element")->Apply(one_size);

}  // namespace

BENCHMARK_MAIN();
