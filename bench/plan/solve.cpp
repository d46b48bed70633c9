// How long planning takes, beside the dynamic program over all sums that one would write first. Goals: global
// batch 32,768 over the 2 kinds of devices of the shipped profile below 10 ms, 64 units of 8 kinds below 1 s.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "weir/plan/unit_split.hpp"

namespace {

/// As many kinds as asked for, of `units` in all, with 4 workers at most, of speeds between 1 and 2.
std::vector<weir::UnitKind> make_kinds(std::size_t kinds, std::size_t units) {
  std::vector<weir::UnitKind> result(kinds);
  for (std::size_t i = 0; i < kinds; ++i) {
    result[i].count = units / kinds;
    double const pass = 0.1 * (1 + static_cast<double>(i) / static_cast<double>(kinds));
    for (std::size_t k = 1; k <= 4; ++k) {
      double const further = pass * static_cast<double>(k) / (0.9 + 0.1 * static_cast<double>(k));
      result[i].by_workers.push_back({further + 0.02, further});
    }
  }
  return result;
}

void solve(benchmark::State& state) {
  auto const kinds =
      make_kinds(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)));
  auto const work = static_cast<std::size_t>(state.range(2));
  for (auto _ : state) {
    auto const shares = weir::UnitSplit(kinds, work).solve();
    benchmark::DoNotOptimize(shares.data());
  }
}

/// F_i(j) = min over n of max(F_{i-1}(j - n), c_i(n)).
void solve_over_all_sums(benchmark::State& state) {
  auto const kinds =
      make_kinds(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)));
  auto const work = static_cast<std::size_t>(state.range(2));
  for (auto _ : state) {
    std::vector<double> fastest(work + 1, std::numeric_limits<double>::infinity());
    fastest[0] = 0;
    for (weir::UnitKind const& kind : kinds) {
      std::vector<double> cost(work + 1);
      for (std::size_t n = 1; n <= work; ++n) cost[n] = weir::UnitSplit::share(kind, n).seconds;
      for (std::size_t unit = 0; unit < kind.count; ++unit) {
        std::vector<double> next(work + 1, std::numeric_limits<double>::infinity());
        for (std::size_t n = 1; n <= work; ++n) {
          for (std::size_t sum = n; sum <= work; ++sum)
            next[sum] = std::min(next[sum], std::max(fastest[sum - n], cost[n]));
        }
        fastest.swap(next);
      }
    }
    benchmark::DoNotOptimize(fastest.data());
  }
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"kinds", "units", "work"})->Unit(benchmark::kMillisecond);
  benchmark->Args({2, 8, 1024})->Args({8, 64, 1024});
}

BENCHMARK(solve)->Apply(shapes)->Args({8, 64, 1 << 20});
BENCHMARK(solve_over_all_sums)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
