#include "weir/pipeline/simulate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/random_table.hpp"
#include "weir/pipeline/activations.hpp"
#include "weir/pipeline/dependencies.hpp"
#include "weir/pipeline/drop_backwards.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/grid_csv.hpp"
#include "weir/pipeline/schedule_catalog.hpp"

using namespace weir;

namespace {

Rational number(std::string const& text) {
  Rational result;
  REQUIRE(read_rational(text, result));
  return result;
}

std::string join(std::vector<std::string> const& parts) {
  std::string text;
  for (std::string const& part : parts) text += (text.empty() ? "" : " ") + part;
  return text;
}

struct Golden {
  char const* name;
  ScheduleShape shape;
  char const* makespan;
  char const* idle;       // of every worker
  char const* span_idle;  // of each; "" where none is given
  char const* peak;
  int edge;  // -1 where none is given
  StageCost cost = {};
  char const* latency = "0";
  std::uint32_t capacity = unlimited_capacity;
};

constexpr ScheduleShape shape(std::uint32_t p, std::uint32_t m, std::uint32_t chunks = 0) {
  return {.workers = p, .micro_batches = m, .chunks = chunks};
}

std::vector<Golden> golden_values() {
  ScheduleShape one_factor = shape(4, 8);
  one_factor.warmup_factor = 1;
  ScheduleShape group = shape(4, 6);
  group.group = 4;
  ScheduleShape eight = shape(8, 16);
  eight.warmup_factor = 1;
  auto const wpipe = [](std::uint32_t p, std::uint32_t n, std::uint32_t m, std::uint32_t k = 1) {
    return ScheduleShape{.workers = p, .micro_batches = n, .period = m, .blocks = k};
  };
  return {
      {"sequential", shape(4, 8), "96", "72", "72 69 66 63", "1 1 1 1", 0},
      {"gpipe", shape(4, 8), "33", "9", "9 6 3 0", "8 8 8 8", 0},
      {"1f1b", shape(4, 8), "33", "9", "9 6 3 0", "4 3 2 1", 1},
      {"pipedream", shape(4, 8), "33", "9", "9 6 3 0", "4 3 2 1", 1},
      {"pipedream-2bw", shape(4, 8), "33", "9", "9 6 3 0", "4 3 2 1", 1},
      {"interleaved-1f1b", shape(4, 8), "57/2", "9/2", "9/2 3 3/2 0", "11 9 7 5", 1},
      {"interleaved-1f1b", one_factor, "57/2", "9/2", "9/2 3 3/2 0", "8 7 6 5", 2},
      {"looped-bfs", shape(4, 8), "57/2", "9/2", "9/2 3 3/2 0", "16 16 16 16", 2},
      {"chimera", shape(4, 8), "30", "6", "6 3 3 6", "3 4 4 3", 1},
      {"dualpipe-v", shape(4, 8), "27", "3", "3 5/2 2 3/2", "9 9 9 9", 1},
      {"zb-h1", shape(4, 8), "27", "3", "3 2 1 0", "4 4 4 4", 1},
      {"zb-h2", shape(4, 8), "27", "3", "0 0 0 0", "7 7 7 7", 1},
      {"zb-v", shape(4, 8), "51/2", "3/2", "0 0 0 0", "8 8 8 8", 1},
      {"dualpipe", shape(4, 8), "26", "2", "2 1 1 2", "5 5 5 5", 1},
      {"wpipe", shape(4, 8), "57/2", "9/2", "9/2 3 3/2 0", "8 7 6 5", 2},
      {"interleaved-1f1b", shape(4, 5, 3), "18", "3", "3 2 1 0", "15 15 13 11", 1},
      {"interleaved-1f1b", shape(4, 6), "45/2", "9/2", "9/2 3 3/2 0", "12 11 9 7", 1},
      {"interleaved-1f1b", group, "55/2", "19/2", "19/2 8 13/2 5", "11 9 7 5", 1},
      {"interleaved-1f1b", shape(4, 2), "27/2", "15/2", "15/2 6 9/2 3", "4 4 4 3", 1},
      {"looped-bfs", shape(4, 2), "27/2", "15/2", "15/2 6 9/2 3", "4 4 4 4", 0},
      {"interleaved-1f1b", shape(8, 16), "123/2", "27/2", "", "", 1, {}, "1/10"},
      {"interleaved-1f1b", eight, "131/2", "35/2", "", "", 4, {}, "0.1"},
      {"zb-h1", shape(4, 8), "57", "9", "9 6 3 0", "4 4 4 4", 1, {1, 3, 2}},
      {"zb-h2", shape(4, 8), "54", "6", "6 4 2 0", "7 7 7 7", 1, {1, 3, 2}},
      {"zb-h1", shape(4, 2), "11", "5", "5 4 2 0", "2 2 2 2", 1},
      {"zb-h2", shape(4, 3), "14", "5", "4 4 2 0", "3 3 3 3", 1},
      {"zb-v", shape(4, 3), "13", "4", "4 3 2 1", "4 5 6 6", 1},
      {"zb-v", shape(4, 8), "54", "6", "6 9/2 3 3/2", "8 8 8 8", 1, {2, 3, 1}},
      {"chimera", shape(4, 6), "25", "7", "7 4 4 7", "3 4 4 3", 1},
      {"chimera", shape(6, 12), "48", "12", "12 9 6 6 9 12", "4 5 6 6 5 4", 1},
      {"dualpipe", shape(6, 12), "70", "10", "10 7 4 4 7 10", "7 7 7 7 7 7", 1, {2, 2, 1}},
      {"dualpipe-v", shape(3, 7), "40", "5", "5 7/2 2", "7 7 7", 1, {2, 2, 1}},
      {"wpipe", wpipe(4, 12, 3), "42", "6", "6 9/2 3 3/2", "7 6 5 4", 2},
      {"wpipe", wpipe(4, 16, 8, 2), "105/2", "9/2", "9/2 3 3/2 0", "8 7 6 5", 2},
      {"wpipe", wpipe(4, 16, 8), "105/2", "9/2", "9/2 3 3/2 0", "12 11 10 9", 5},
      {"wpipe", wpipe(8, 192, 8), "6551/10", "791/10", "", "", 4, {}, "1/10"},
      {"pipedream-2bw", wpipe(8, 192, 8, 0), "3159/5", "279/5", "", "", 1, {}, "1/10"},
      {"1f1b", shape(4, 8), "49", "25", "", "", -1, {}, "1", 1},
      {"gpipe", shape(4, 8), "53", "29", "", "", -1, {}, "1", 0},
      {"looped-bfs", shape(4, 8), "63/2", "15/2", "", "", -1, {}, "0", 2},
      {"looped-bfs", shape(4, 8), "30", "6", "6 7/2 2 1/2", "", -1, {}, "0", 3},
      {"wpipe", shape(4, 8), "59/2", "11/2", "", "", -1, {}, "0", 2},
      {"wpipe", shape(4, 8), "57/2", "9/2", "", "", -1, {}, "0", 3},
  };
}

}  // namespace

TEST_CASE("makespan, idle time, activations and edges of the schedules are the exact known ones") {
  for (Golden const& golden : golden_values()) {
    ScheduleTable const table = find_schedule(golden.name)->make_table(golden.shape);
    SimulationCosts const costs{.worker = golden.cost, .latency = number(golden.latency)};
    Simulation const simulation = simulate(table, costs, {.edge_capacity = golden.capacity});
    INFO(golden.name << " p=" << golden.shape.workers << " m=" << golden.shape.micro_batches);
    CHECK(text(simulation.makespan()) == golden.makespan);
    std::vector<std::string> spans;
    std::vector<std::string> peaks;
    for (std::uint32_t worker = 0; worker < golden.shape.workers; ++worker) {
      CHECK(text(simulation.idle(worker)) == golden.idle);
      CHECK(simulation.busy(worker) + simulation.idle(worker) == simulation.makespan());
      spans.push_back(text(simulation.span_idle(worker)));
      peaks.push_back(std::to_string(peak_activations(table)[worker]));
    }
    if (*golden.span_idle != '\0') CHECK(join(spans) == golden.span_idle);
    if (*golden.peak != '\0') CHECK(join(peaks) == golden.peak);
    if (golden.edge >= 0) CHECK(min_edge_capacity(table) == static_cast<std::uint32_t>(golden.edge));
  }
}

TEST_CASE("both bubbles") {
  ScheduleTable const wpipe = make_table<WPipe>(shape(4, 8));
  CHECK(simulate(wpipe).bubble_ratio() == Rational(3, 19));
  ScheduleTable const plain = make_table<OneFOneB>(shape(4, 8));
  CHECK(simulate(plain).bubble_over_ideal() == Rational(3, 8));
}

TEST_CASE("the makespan of random tables is the longest path of their events") {
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    RandomTable random(seed);
    ScheduleTable const table = random.table();
    auto const cost = [&random] { return Rational(random.below(5), 1 + random.below(4)); };
    SimulationCosts costs{.latency = cost()};
    for (std::uint32_t i = 0; i < random.properties.stages; ++i)
      costs.stages.push_back({cost(), cost(), cost()});

    TableView const view = table;
    OperationIndex const index(view);
    std::vector<Rational> end(view.operations().size());
    bool has_changed = true;
    while (has_changed) {  // until no edge of the graph moves an event any more
      has_changed = false;
      for (std::uint32_t worker = 0; worker < view.workers(); ++worker) {
        for (std::size_t i = view.begin_of(worker); i < view.begin_of(worker + 1); ++i) {
          Operation const& operation = view.operations()[i];
          Rational begin = i > view.begin_of(worker) ? end[i - 1] : Rational{};
          for_each_dependency(view, index, operation, [&](std::size_t needed) {
            bool const is_here = needed >= view.begin_of(worker) && needed < view.begin_of(worker + 1);
            begin = std::max(begin, is_here ? end[needed] : end[needed] + costs.latency);
          });
          StageCost const& stage = costs.stages[operation.stage];
          Rational const length = is_forward(operation) ? stage.forward
                                  : operation.kind == OperationKind::backward
                                      ? stage.backward_input + stage.backward_weight
                                  : operation.kind == OperationKind::backward_input ? stage.backward_input
                                                                                    : stage.backward_weight;
          if (begin + length == end[i]) continue;
          end[i] = begin + length;
          has_changed = true;
        }
      }
    }
    Rational longest;
    for (Rational const& each : end) longest = std::max(longest, each);
    if (simulate(table, costs).makespan() != longest) FAIL("seed " << seed);
  }
}

TEST_CASE("a pair may cost less than its parts") {
  ScheduleTable const table = make_table<DualPipe>(shape(2, 4));
  CHECK(simulate(table, {.pair = Rational(2, 3)}).makespan() < simulate(table).makespan());
  CHECK(simulate(table, {.pair = 1}).makespan() == simulate(table).makespan());
  ScheduleTable const wide = make_table<DualPipe>(shape(32, 64));
  CHECK(simulate(wide, {.pair = Rational(10, 11)}).ticks_per_unit() == 11);
}

TEST_CASE("a reduction of the time there is lengthens nothing, and a longer one on worker 0 does") {
  for (std::uint32_t p = 2; p <= 5; ++p) {
    for (std::uint32_t q = p; q <= p + 2; ++q) {
      ScheduleTable const table = make_table<WPipe>({.workers = p, .micro_batches = 4 * q, .period = q});
      Rational const makespan = simulate(table).makespan();
      SimulationCosts costs;
      for (std::uint32_t stage = 0; stage < 2 * p; ++stage)
        costs.reduce.emplace_back((q - p + 1 + stage % p) * 3, 2);
      CHECK(simulate(table, costs).makespan() == makespan);
      costs.reduce[0] += Rational(1, 10);
      CHECK(simulate(table, costs).makespan() > makespan);
    }
  }
}

TEST_CASE("forwards alone take m + p - 1 times a forward") {
  ScheduleTable const forwards = drop_backwards(make_table<OneFOneB>(shape(4, 8)));
  CHECK(simulate(forwards, {.worker = {3, 1, 1}}).makespan() == 33);
}

TEST_CASE("what cannot be simulated is refused") {
  ScheduleTable const wpipe = make_table<WPipe>(shape(4, 8));
  CHECK_THROWS_AS(simulate(wpipe, {}, {.edge_capacity = 1}), ContractViolation);
  for (char const* grid : {"0F0,0B0\n1F0\n", "1F0,1B0\n"})
    CHECK_THROWS_AS(simulate(read_grid_csv(grid)), ContractViolation);
  CHECK_THROWS_AS(simulate(wpipe, {.latency = -1}), ContractViolation);
  CHECK_THROWS_AS(simulate(wpipe, {.stages = {{1, 1, 1}}}), ContractViolation);
  CHECK_THROWS_AS(simulate(wpipe, {.worker = {Rational(INT64_MAX), 1, 1}}), ContractViolation);
}
