// What it takes to make, to check and to simulate large tables. The goals: a table of 64 workers, 1,024
// micro-batches and 4 chunks in 0.3 seconds, its check in 2, a simulation of a million operations in 1, all
// that weir-schedule says of the table in 10, and a cut of 1,000 layers into 64 stages in 1. The roof is a
// copy of the table.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <vector>

#include "weir/pipeline/activations.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/partition.hpp"
#include "weir/pipeline/schedule/interleaved_one_f_one_b.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/validate.hpp"
#include "weir/pipeline/weight_versions.hpp"

namespace {

constexpr weir::ScheduleShape large{.workers = 64, .micro_batches = 1024, .chunks = 4};
constexpr weir::ScheduleShape million{.workers = 64, .micro_batches = 2048, .chunks = 4};

weir::ScheduleTable make(weir::ScheduleShape const& shape) {
  return weir::make_table<weir::InterleavedOneFOneB>(shape);
}

void count(benchmark::State& state, weir::TableView const& table) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(table.operations().size()));
}

void copy_roof(benchmark::State& state) {
  weir::ScheduleTable const table = make(large);
  for (auto _ : state) {
    weir::ScheduleTable copy = table;
    benchmark::DoNotOptimize(copy);
  }
  count(state, table);
}
BENCHMARK(copy_roof)->Unit(benchmark::kMillisecond);

void generate(benchmark::State& state) {
  for (auto _ : state) {
    weir::ScheduleTable table = make(large);
    benchmark::DoNotOptimize(table);
  }
  count(state, make(large));
}
BENCHMARK(generate)->Unit(benchmark::kMillisecond);

void validate(benchmark::State& state) {
  weir::ScheduleTable const table = make(large);
  for (auto _ : state) {
    bool const is_valid = bool(weir::validate(table));
    if (!is_valid) state.SkipWithError("the table is invalid");
  }
  count(state, table);
}
BENCHMARK(validate)->Unit(benchmark::kMillisecond);

void simulate_a_million(benchmark::State& state) {
  weir::ScheduleTable const table = make(million);
  for (auto _ : state) {
    weir::Simulation simulation = weir::simulate(table, {.latency = weir::Rational(1, 10)});
    benchmark::DoNotOptimize(simulation);
  }
  count(state, table);
}
BENCHMARK(simulate_a_million)->Unit(benchmark::kMillisecond);

void simulate_with_capacity(benchmark::State& state) {
  weir::ScheduleTable const table = make(million);
  std::uint32_t const capacity = weir::min_edge_capacity(table);
  for (auto _ : state) {
    weir::Simulation simulation = weir::simulate(table, {}, {.edge_capacity = capacity});
    benchmark::DoNotOptimize(simulation);
  }
  count(state, table);
}
BENCHMARK(simulate_with_capacity)->Unit(benchmark::kMillisecond);

void smallest_capacity(benchmark::State& state) {
  weir::ScheduleTable const table = make(large);
  for (auto _ : state) benchmark::DoNotOptimize(weir::min_edge_capacity(table));
  count(state, table);
}
BENCHMARK(smallest_capacity)->Unit(benchmark::kMillisecond);

/// From the shape to all that the report of weir-schedule has.
void full_report(benchmark::State& state) {
  for (auto _ : state) {
    weir::ScheduleTable const table = make(large);
    bool const is_valid = bool(weir::validate(table));
    if (!is_valid) state.SkipWithError("the table is invalid");
    weir::Simulation const simulation = weir::simulate(table);
    weir::Rational idle = simulation.bubble_ratio() + simulation.makespan();
    for (std::uint32_t worker = 0; worker < large.workers; ++worker)
      idle += simulation.idle(worker) + simulation.span_idle(worker);
    benchmark::DoNotOptimize(idle);
    benchmark::DoNotOptimize(weir::peak_activations(table));
    benchmark::DoNotOptimize(weir::weight_versions(table));
    benchmark::DoNotOptimize(weir::min_edge_capacity(table));
  }
  count(state, make(large));
}
BENCHMARK(full_report)->Unit(benchmark::kMillisecond);

/// With a limit of memory, which binds, or without.
void cut(benchmark::State& state, bool has_limit) {
  std::mt19937 random(1);
  std::vector<weir::Rational> costs;
  std::vector<weir::Rational> memory;
  for (int layer = 0; layer < 1000; ++layer) {
    costs.emplace_back(1 + random() % 1000, 7);
    memory.emplace_back(1 + random() % 100);
  }
  weir::PartitionOptions options;
  if (has_limit) options = {.memory = memory, .memory_limit = 1000};
  for (auto _ : state) {
    weir::Partition const result = weir::partition(costs, 64, options);
    if (!result) state.SkipWithError("there is no such cut");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(costs.size()));
}
BENCHMARK_CAPTURE(cut, without_limit, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(cut, within_memory, true)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
