// Error feedback, beside r = g + r in place by the same threads, which moves what a guarded selection with
// feedback has to move but for the slots that it sends: 12 bytes an element. And decompression, beside
// clearing the vector. The arguments are threads, log2 of the number of elements, and 1 / density. WEIR's
// goal: of_addition at most 1.35 for histogram at density 0.01 and below.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "read_roof.hpp"
#include "sparsifier.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"

namespace {

struct Setting {
  explicit Setting(benchmark::State const& state)
      : executor({.threads = static_cast<std::size_t>(state.range(0))}),
        gradient(laplace(std::size_t{1} << state.range(1))),
        sum(gradient.size()),
        density(1.0 / static_cast<double>(state.range(2))) {}

  Other addition() {
    return {"addition", [this] {
              add_scaled(executor, weir::view(gradient), 1.0f, weir::view(sum));
              executor.synchronize();
            }};
  }

  weir::HostExecutor executor;
  std::vector<float> gradient;
  std::vector<float> sum;
  double density;
};

template <class Policy>
void feedback(benchmark::State& state) {
  Setting setting(state);
  Sparsifier<Policy> sparsifier(setting.executor, setting.gradient, setting.density, true);
  in_turns_with(state, [&] { sparsifier.run(); },
                {setting.addition(), read_of(setting.executor, setting.gradient)});
  state.counters["quality"] = sparsifier.state().last.quality;
}

/// One residual, in place, which what is not finite is passed on from.
void feedback_in_place(benchmark::State& state) {
  Setting setting(state);
  Sparsifier<weir::Histogram> sparsifier(setting.executor, setting.gradient, setting.density, true);
  auto& work = sparsifier.work();
  work.constants.non_finite = weir::NonFinitePolicy::propagate;
  work.residual = {work.residual.side(0), work.residual.side(0), work.residual.size(),
                   work.residual.side_word()};
  in_turns_with(state, [&] { sparsifier.run(); }, {setting.addition()});
}

void reused_threshold(benchmark::State& state) {
  Setting setting(state);
  Sparsifier<weir::GeneralizedPareto> sparsifier(setting.executor, setting.gradient, setting.density, true);
  sparsifier.work().constants.reuse.interval = 32;
  in_turns_with(state, [&] { sparsifier.run(); }, {setting.addition()});
  state.counters["quality"] = sparsifier.state().last.quality;
}

void decompress(benchmark::State& state) {
  Setting setting(state);
  Sparsifier<weir::Histogram> sparsifier(setting.executor, setting.gradient, setting.density);
  sparsifier.run();
  auto const& executor = setting.executor;
  in_turns_with(state,
                [&] {
                  set_zero(executor, weir::view(setting.sum));
                  scatter_add(executor, weir::view(sparsifier.indices()), weir::view(sparsifier.values()),
                              &sparsifier.counts().count, weir::view(setting.sum));
                  executor.synchronize();
                },
                {{"set_zero", [&] {
                    set_zero(executor, weir::view(setting.sum));
                    executor.synchronize();
                  }}});
}

void arguments(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"threads", "log2_size", "one_in"})->UseManualTime()->Unit(benchmark::kMillisecond);
  benchmark->Iterations(21);
  int const all = static_cast<int>(std::thread::hardware_concurrency());
  for (int one_in : {10, 100, 1000}) {
    benchmark->Args({1, 25, one_in});
    if (all > 1) benchmark->Args({all, 25, one_in});
  }
}

BENCHMARK(feedback<weir::Histogram>)->Name("histogram")->Apply(arguments);
BENCHMARK(feedback_in_place)->Name("histogram_in_place")->Apply(arguments);
BENCHMARK(feedback<weir::Exponential>)->Name("exponential")->Apply(arguments);
BENCHMARK(feedback<weir::GeneralizedPareto>)->Name("generalized_pareto")->Apply(arguments);
BENCHMARK(reused_threshold)->Name("reused_threshold")->Apply(arguments);
BENCHMARK(decompress)->Name("decompress")->Apply(arguments);

}  // namespace

BENCHMARK_MAIN();
