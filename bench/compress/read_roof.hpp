#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "weir/core/random.hpp"
#include "weir/host/executor.hpp"

/// The time of `work`, in seconds.
inline double time_of(std::function<void()> const& work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median_of(std::vector<double> times) {
  auto const middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

/// Independent double-exponential numbers, as gradients are.
inline std::vector<float> laplace(std::size_t size, std::uint64_t seed = 1) {
  weir::RandomStream const stream{.seed = seed};
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; i += 4) {
    auto const words = stream(static_cast<std::uint32_t>(i / 4));
    for (std::size_t j = 0; j < std::min<std::size_t>(4, size - i); ++j) {
      double const magnitude = -std::log((words[j] + 0.5) * 0x1p-32);
      values[i + j] = static_cast<float>((words[j] & 1u) != 0 ? magnitude : -magnitude);
    }
  }
  return values;
}

/// A plain sum of |x|.
struct SumOfMagnitudes {
  float const* values;
  std::atomic<double>* sum;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    constexpr int lanes = VectorBytes / 4;
    using Floats = weir::Lanes<float, lanes>;
    using Words = weir::Lanes<std::int32_t, lanes>;
    Floats sums[4] = {};
    std::size_t i = begin;
    for (; end - i >= 4 * lanes; i += 4 * lanes) {
      for (int part = 0; part < 4; ++part) {
        Words words;
        __builtin_memcpy(&words, values + i + static_cast<std::size_t>(part * lanes), sizeof(words));
        sums[part] += reinterpret_cast<Floats>(words & 0x7fff'ffff);
      }
    }
    double all = 0.0;
    for (Floats const& part : sums) {
      for (int lane = 0; lane < lanes; ++lane) all += static_cast<double>(part[lane]);
    }
    for (; i < end; ++i) all += static_cast<double>(std::abs(values[i]));
    sum->fetch_add(all, std::memory_order_relaxed);
  }
};

/// Times `work` in turns with others, so that all see the same machine. `of_<name>` is the median of the
/// work's times over that of the other, `of_<name>_fastest` the same of the fastest runs; below 1 is faster.
struct Other {
  char const* name;
  std::function<void()> run;
};

inline void in_turns_with(benchmark::State& state, std::function<void()> const& work,
                          std::vector<Other> const& others) {
  for (int warm_up = 0; warm_up < 3; ++warm_up) work();
  for (Other const& other : others) other.run();
  std::vector<double> times;
  std::vector<std::vector<double>> of_others(others.size());
  for (auto _ : state) {
    for (std::size_t i = 0; i < others.size(); ++i) of_others[i].push_back(time_of(others[i].run));
    double const elapsed = time_of(work);
    state.SetIterationTime(elapsed);
    times.push_back(elapsed);
  }
  double const median = median_of(times);
  double const fastest = *std::min_element(times.begin(), times.end());
  state.counters["median_ms"] = 1e3 * median;
  for (std::size_t i = 0; i < others.size(); ++i) {
    std::string const name = std::string("of_") + others[i].name;
    state.counters[name] = median / median_of(of_others[i]);
    state.counters[name + "_fastest"] = fastest / *std::min_element(of_others[i].begin(), of_others[i].end());
  }
}

/// One read of the data by the executor's threads.
inline Other read_of(weir::HostExecutor const& executor, std::span<float const> values) {
  return {"read", [&executor, values] {
            std::atomic<double> sum = 0.0;
            weir::detail::sweep(executor.team(), values.size(), sizeof(float),
                                SumOfMagnitudes{values.data(), &sum});
            benchmark::DoNotOptimize(sum.load());
          }};
}
