// Error feedback, beside r = g + r in place by the same threads, which moves what a guarded selection with
// feedback has to move but for the slots that it sends: 12 bytes an element. And decompression, beside
// clearing the vector. The arguments are threads, log2 of the number of elements, and 1 / density.
//
// Each step has another gradient, and what is timed comes after the quality has become steady: with the same
// gradient in each step, residuals grow alike, and fits and reused thresholds fail as they do in no training.
// `quality` and `stages` are means over the timed steps, `reused` is the part of them that took an earlier
// threshold. Fits have adaptive stages, as in one stage they collapse: `stages` says how many passes they
// take.
//
// WEIR's goals are in goal_of_addition: 1.35 for a guarded or reused threshold at density 0.01 and below,
// above it 1.3 times the bytes; where a threshold is fitted 1.3 times the bytes of two passes, however many
// stages it has.

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "has_memory.hpp"
#include "read_roof.hpp"
#include "sparsifier.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold_reuse.hpp"
#include "weir/exec/threshold_policy.hpp"

namespace {

constexpr double bytes_of_element = 24.0;  // gradient, sum, two sides of a residual, candidates, pairs

/// As many gradients as there are places to begin at in one long vector.
class Gradients {
 public:
  explicit Gradients(std::size_t size) : size_(size), values_(laplace(size + places * stride)) {}

  std::span<float const> next() {
    turn_ = (turn_ + 1) % places;
    return {values_.data() + turn_ * stride, size_};
  }

 private:
  static constexpr std::size_t places = 1021;
  static constexpr std::size_t stride = 64;  // what is read stays aligned to lines

  std::size_t size_;
  std::size_t turn_ = 0;
  std::vector<float> values_;
};

struct Setting {
  explicit Setting(benchmark::State const& state)
      : executor({.threads = static_cast<std::size_t>(state.range(0))}),
        gradients(std::size_t{1} << state.range(1)),
        gradient(gradients.next()),
        sum(gradient.size()),
        density(1.0 / static_cast<double>(state.range(2))) {}

  Other addition() {
    return {"addition", [this] {
              add_scaled(executor, weir::view(gradient.data(), gradient.size()), 1.0f, weir::view(sum));
              executor.synchronize();
            }};
  }

  weir::HostExecutor executor;
  Gradients gradients;
  std::span<float const> gradient;
  std::vector<float> sum;
  double density;
};

/// In additions of 12 bytes an element, for what reads gradient and residual once.
double goal_of_one_pass(double density) {
  return density <= 0.01 ? 1.35 : 1.3 * (12.0 + 72.0 * density) / 12.0;
}

/// The same for what reads the accumulator again, and writes the lines of 16 elements that it sends from.
double goal_of_two_passes(double density) {
  double const touched = 1.0 - std::pow(1.0 - density, 16.0);
  return 1.3 * (16.0 + 4.0 * touched + 8.0 * density) / 12.0;
}

/// What steps were like.
struct Steps {
  std::size_t count = 0;
  std::size_t reused = 0;  // that took an earlier threshold
  std::size_t stages = 0;
  double quality = 0.0;

  void take(weir::SparsifyStatistics const& last) {
    ++count;
    reused += last.was_reused;
    stages += last.stages;
    quality += quality_of(last);
  }
  double mean_quality() const { return quality / static_cast<double>(count); }
  double mean_stages() const { return static_cast<double>(stages) / static_cast<double>(count); }
};

template <class Policy>
void step(Setting& setting, Sparsifier<Policy>& sparsifier, Steps& steps) {
  sparsifier.take(setting.gradients.next());
  sparsifier.run();
  steps.take(sparsifier.state().last);
}

/// Until the mean quality of 32 steps is that of the 32 before to 5 percent, or 512 steps are over.
template <class Policy>
void warm_up(Setting& setting, Sparsifier<Policy>& sparsifier) {
  double before = 0.0;
  for (int window = 0; window < 16; ++window) {
    Steps steps;
    while (steps.count < 32) step(setting, sparsifier, steps);
    double const now = steps.mean_quality();
    if (std::abs(now - before) <= 0.05 * now) return;
    before = now;
  }
}

template <class Policy>
void time_steps(benchmark::State& state, Setting& setting, Sparsifier<Policy>& sparsifier, double goal) {
  warm_up(setting, sparsifier);
  Steps steps;
  in_turns_with(state, [&] { step(setting, sparsifier, steps); },
                {setting.addition(), read_of(setting.executor, setting.gradient)});
  state.counters["quality"] = steps.mean_quality();
  state.counters["stages"] = steps.mean_stages();
  state.counters["reused"] = static_cast<double>(steps.reused) / static_cast<double>(steps.count);
  state.counters["goal_of_addition"] = goal;
}

template <class Policy>
void feedback(benchmark::State& state) {
  if (!has_memory(state, bytes_of_element)) return;
  Setting setting(state);
  Sparsifier<Policy> sparsifier(setting.executor, setting.gradient, setting.density, true);
  sparsifier.work().constants.stages.count = weir::StageCount::adaptive;
  time_steps(state, setting, sparsifier,
             weir::RankedThreshold<Policy> ? goal_of_one_pass(setting.density)
                                           : goal_of_two_passes(setting.density));
}

/// One residual, in place, which what is not finite is passed on from.
void feedback_in_place(benchmark::State& state) {
  if (!has_memory(state, bytes_of_element)) return;
  Setting setting(state);
  Sparsifier<weir::Histogram> sparsifier(setting.executor, setting.gradient, setting.density, true);
  auto& work = sparsifier.work();
  work.constants.non_finite = weir::NonFinitePolicy::propagate;
  work.residual = {work.residual.side(0), work.residual.side(0), work.residual.size(),
                   work.residual.side_word()};
  time_steps(state, setting, sparsifier, goal_of_one_pass(setting.density));
}

template <class Policy>
void reused_threshold(benchmark::State& state) {
  if (!has_memory(state, bytes_of_element)) return;
  Setting setting(state);
  Sparsifier<Policy> sparsifier(setting.executor, setting.gradient, setting.density, true);
  sparsifier.work().constants.reuse = weir::ThresholdReuse{};
  sparsifier.work().constants.stages.count = weir::StageCount::adaptive;
  time_steps(state, setting, sparsifier, goal_of_one_pass(setting.density));
}

void decompress(benchmark::State& state) {
  if (!has_memory(state, bytes_of_element)) return;
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

void arguments(benchmark::internal::Benchmark* benchmark, std::vector<int> const& sizes,
               std::vector<int> const& inverse_densities) {
  benchmark->ArgNames({"threads", "log2_size", "one_in"})->UseManualTime()->Unit(benchmark::kMillisecond);
  benchmark->Iterations(21);
  int const all = static_cast<int>(std::thread::hardware_concurrency());
  for (int size : sizes) {
    for (int one_in : inverse_densities) {
      benchmark->Args({1, size, one_in});
      if (all > 1) benchmark->Args({all, size, one_in});
    }
  }
}
void usual_sizes(benchmark::internal::Benchmark* benchmark) {
  arguments(benchmark, {18, 22, 25}, {10, 100, 1000});
}
void all_sizes(benchmark::internal::Benchmark* benchmark) {
  usual_sizes(benchmark);
  arguments(benchmark, {28}, {100});
}

BENCHMARK(feedback<weir::Histogram>)->Name("histogram")->Apply(all_sizes);
BENCHMARK(feedback_in_place)->Name("histogram_in_place")->Apply(usual_sizes);
BENCHMARK(feedback<weir::Exponential>)->Name("exponential")->Apply(all_sizes);
BENCHMARK(feedback<weir::GeneralizedPareto>)->Name("generalized_pareto")->Apply(usual_sizes);
BENCHMARK(reused_threshold<weir::Histogram>)->Name("histogram_reused")->Apply(all_sizes);
BENCHMARK(reused_threshold<weir::Exponential>)->Name("exponential_reused")->Apply(all_sizes);
BENCHMARK(reused_threshold<weir::GeneralizedPareto>)->Name("generalized_pareto_reused")->Apply(usual_sizes);
BENCHMARK(decompress)->Name("decompress")->Apply(all_sizes);

}  // namespace

BENCHMARK_MAIN();
