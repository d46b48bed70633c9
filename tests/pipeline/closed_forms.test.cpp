#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "weir/pipeline/activations.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/rational.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/weight_versions.hpp"

// What a schedule takes by its formula, for all small shapes and random rational costs.

using namespace weir;

namespace {

class Cases {
 public:
  Rational number() { return Rational(1 + random_() % 9, 1 + random_() % 5); }

  StageCost any() { return {number(), number(), number()}; }
  StageCost equal() {
    Rational const f = number();
    return {f, f, f};
  }
  /// With I at most F.
  StageCost light_input() {
    StageCost cost = any();
    if (cost.backward_input > cost.forward) std::swap(cost.backward_input, cost.forward);
    return cost;
  }

 private:
  std::mt19937 random_{7};
};

Rational least(Rational const& left, Rational const& right) {
  return left < right ? left : right;
}
Rational sum(StageCost const& cost) {
  return cost.forward + cost.backward_input + cost.backward_weight;
}
Rational whole(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

/// Calls `check(p, m)` for 1 to 8 workers and up to 4 micro-batches for each.
template <class Check>
void for_each_shape(Check const& check) {
  for (std::uint32_t p = 1; p <= 8; ++p) {
    for (std::uint32_t m = 1; m <= 4 * p; ++m) check(p, m);
  }
}

void check_peaks(TableView const& table, auto const& peak_of) {
  std::vector<std::uint32_t> const peaks = peak_activations(table);
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) CHECK(peaks[worker] == peak_of(worker));
}

void check_idle(TableView const& table, StageCost const& cost, Rational const& idle) {
  Simulation const simulation = simulate(table, {.worker = cost});
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) CHECK(simulation.idle(worker) == idle);
}

}  // namespace

TEST_CASE("closed forms: sequential, GPipe and 1F1B") {
  Cases cases;
  for_each_shape([&](std::uint32_t p, std::uint32_t m) {
    CAPTURE(p);
    CAPTURE(m);
    ScheduleShape const shape{.workers = p, .micro_batches = m};
    StageCost const cost = cases.any();
    ScheduleTable const sequential = make_table<Sequential>(shape);
    CHECK(simulate(sequential, {.worker = cost}).makespan() == whole(m * p) * sum(cost));
    check_peaks(sequential, [](std::uint32_t) { return 1u; });
    CHECK(min_edge_capacity(sequential) == 0);
    ScheduleTable const gpipe = make_table<GPipe>(shape);
    CHECK(simulate(gpipe, {.worker = cost}).makespan() == whole(m + p - 1) * sum(cost));
    check_peaks(gpipe, [&](std::uint32_t) { return m; });
    CHECK(min_edge_capacity(gpipe) == 0);
    for (char const* name : {"1f1b", "pipedream", "pipedream-2bw"}) {
      if (find_schedule(name)->refusal(shape)) continue;
      ScheduleTable const table = find_schedule(name)->make_table(shape);
      CHECK(simulate(table, {.worker = cost}).makespan() == whole(m + p - 1) * sum(cost));
      check_peaks(table, [&](std::uint32_t i) { return std::min(m, p - i); });
      CHECK(min_edge_capacity(table) == (p == 1 || m == 1 ? 0 : 1));
    }
  });
}

TEST_CASE("closed forms: interleaved 1F1B and looped BFS") {
  Cases cases;
  for_each_shape([&](std::uint32_t p, std::uint32_t m) {
    for (std::uint32_t v = 1; v <= 4; ++v) {
      CAPTURE(p);
      CAPTURE(m);
      CAPTURE(v);
      StageCost const cost = cases.any();
      Rational const makespan = whole(v * std::max(m, p) + std::min(m, p) - 1) * sum(cost) / whole(v);
      std::uint32_t const groups = std::max(1u, m / p);
      std::uint32_t const first = m / groups + (m % groups != 0 ? 1 : 0);
      for (std::uint32_t factor = 1; factor <= 2; ++factor) {
        ScheduleTable const table = make_table<InterleavedOneFOneB>(
            {.workers = p, .micro_batches = m, .chunks = v, .warmup_factor = factor});
        CHECK(simulate(table, {.worker = cost}).makespan() == makespan);
        check_peaks(table, [&](std::uint32_t i) {
          return std::min(m * v, factor * (p - 1 - i) + (v - 1) * first + 1);
        });
        if (factor == 2 && m % p == 0 && p > 1 && m > 1) CHECK(min_edge_capacity(table) == 1);
      }
      ScheduleTable const looped = make_table<LoopedBfs>({.workers = p, .micro_batches = m, .chunks = v});
      CHECK(simulate(looped, {.worker = cost}).makespan() == makespan);
      check_peaks(looped, [&](std::uint32_t) { return m * v; });
      CHECK(min_edge_capacity(looped) == (v == 1 || p == 1 ? 0 : m / p));
    }
  });
}

TEST_CASE("closed forms: Chimera") {
  Cases cases;
  for (std::uint32_t p = 2; p <= 8; p += 2) {
    for (std::uint32_t m = p; m <= 4 * p; m += p) {
      Rational const f = cases.number();
      ScheduleTable const table = make_table<Chimera>({.workers = p, .micro_batches = m});
      check_idle(table, {f, f / 2, f / 2}, whole(p - 2) * f);
      check_idle(table, {f, f, f}, whole((p - 2) * (m / p + 1)) * f);
      check_peaks(table, [&](std::uint32_t i) { return p / 2 + 1 + std::min(i, p - 1 - i); });
    }
  }
}

TEST_CASE("closed forms: zero bubble") {
  Cases cases;
  for_each_shape([&](std::uint32_t p, std::uint32_t m) {
    CAPTURE(p);
    CAPTURE(m);
    ScheduleShape const shape{.workers = p, .micro_batches = m};
    StageCost const c = cases.any();
    Rational const none;
    if (m >= p) {
      Rational const more = c.backward_input - least(c.backward_weight, c.forward);
      ScheduleTable const h1 = make_table<ZbH1>(shape);
      check_idle(h1, c, whole(p - 1) * (c.forward + std::max(none, more)));
      check_peaks(h1, [&](std::uint32_t) { return std::min(m, p); });
    }
    if (m < 2 * p - 1) return;
    ScheduleTable const h2 = make_table<ZbH2>(shape);
    Simulation const run = simulate(h2, {.worker = c});
    Rational largest;
    for (std::uint32_t i = 0; i < p; ++i) largest = std::max(largest, run.span_idle(i));
    Rational const two = c.forward + c.backward_input - Rational(2) * least(c.backward_weight, c.forward);
    CHECK(largest == whole(p - 1) * std::max(none, two));
    check_peaks(h2, [&](std::uint32_t) { return std::min(m, 2 * p - 1); });

    StageCost const same = cases.equal();
    ScheduleTable const v = make_table<ZbV>(shape);
    check_idle(v, same, whole(p - 1) * same.forward / 2);
    for (std::uint32_t i = 0; i < p; ++i) CHECK(simulate(v, {.worker = same}).span_idle(i) == none);
    check_peaks(v, [&](std::uint32_t) { return 2 * p; });
  });
}

TEST_CASE("closed forms: DualPipe") {
  Cases cases;
  for_each_shape([&](std::uint32_t p, std::uint32_t m) {
    if (m < 2 * p) return;
    CAPTURE(p);
    CAPTURE(m);
    StageCost const c = cases.light_input();
    Rational const bubble =
        Rational(2) * c.forward + c.backward_input - least(c.backward_weight, c.backward_input);
    ScheduleTable const v = make_table<DualPipeV>({.workers = p, .micro_batches = m});
    check_idle(v, c, whole(p - 1) * bubble / 2);
    check_peaks(v, [&](std::uint32_t) { return 2 * p + 1; });
    if (p % 2 != 0 || m % 2 != 0) return;
    ScheduleTable const two = make_table<DualPipe>({.workers = p, .micro_batches = m});
    check_idle(two, c, whole(p / 2 - 1) * bubble);
    check_peaks(two, [&](std::uint32_t) { return p + 1; });
  });
}

TEST_CASE("closed forms: WPipe, whatever the number of periods") {
  Cases cases;
  for (std::uint32_t p = 1; p <= 8; ++p) {
    for (std::uint32_t q = p; q <= p + 3; ++q) {
      for (std::uint32_t blocks = 1; blocks <= 2; ++blocks) {
        for (std::uint32_t periods = 1; periods <= 3; ++periods) {
          CAPTURE(p);
          CAPTURE(q);
          std::uint32_t const m = q * blocks;
          std::uint32_t const n = m * periods;
          ScheduleTable const table =
              make_table<WPipe>({.workers = p, .micro_batches = n, .period = m, .blocks = blocks});
          StageCost const cost = cases.any();
          check_idle(table, cost, whole(p - 1) * sum(cost) / 2);
          check_peaks(table, [&](std::uint32_t i) { return std::min(q + p - i, 2 * n); });
          if (n >= 2 * q && p > 1) CHECK(min_edge_capacity(table) == std::max((q + 1) / 2, q - p + 1));
          std::vector<StageVersions> const versions = weight_versions(table);
          for (std::uint32_t stage = 0; stage < 2 * p; ++stage) {
            bool const is_late = stage < p && periods > 1;
            CHECK(versions[stage] == StageVersions{is_late ? 1u : 0u, is_late ? 2u : 1u, periods});
          }
        }
      }
    }
  }
}
