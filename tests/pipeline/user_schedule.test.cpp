#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "weir/pipeline/activations.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/partition.hpp"
#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/text_grid.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

/// 1F1B that starts twice as many forwards, so that messages may take as long as an operation.
struct Eager : weir::RoundRobinPlacement {
  static constexpr weir::ScheduleTraits traits{.name = "eager"};

  static constexpr weir::ShapeRefusal check(weir::ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, weir::ScheduleShape const& shape, Sink&& sink) {
    std::uint32_t const warmup = 2 * (shape.workers - 1 - worker);
    std::uint32_t backward = 0;
    for (std::uint32_t j = 0; j < shape.micro_batches + warmup; ++j) {
      auto const stage = static_cast<std::uint16_t>(worker);
      if (j < shape.micro_batches) sink(weir::Operation{.stage = stage, .micro_batch = j});
      if (j < warmup) continue;
      sink(weir::Operation{.kind = weir::OperationKind::backward, .stage = stage, .micro_batch = backward++});
    }
  }
};
static_assert(weir::Schedule<Eager>);
static_assert(validate(weir::table<Eager, 4, 8>()));

}  // namespace

TEST_CASE("a schedule of one's own is checked and simulated as the others are") {
  weir::SimulationCosts const slow_wires{.latency = 1};
  weir::ScheduleShape const shape{.workers = 4, .micro_batches = 16};
  CHECK(simulate(weir::make_table<Eager>(shape), slow_wires).makespan() <
        simulate(weir::make_table<weir::OneFOneB>(shape), slow_wires).makespan());
}

TEST_CASE("from a shape to a verdict, times and activations") {
  weir::ScheduleTable const table = weir::make_table<weir::WPipe>({.workers = 4, .micro_batches = 8});
  weir::Validation const validation = validate(table, {.edge_capacity = 2});
  if (!validation) FAIL(validation.text().front());

  weir::Simulation const simulation = simulate(table, {.worker = {.forward = 1, .backward_input = 1}});
  CHECK(text(simulation.makespan()) == "57/2");
  CHECK(text(simulation.bubble_ratio()) == "3/19");
  CHECK(weir::peak_activations(table) == std::vector<std::uint32_t>{8, 7, 6, 5});
  CHECK(weir::min_edge_capacity(table) == 2);
  std::string const picture = text_grid(timeline(table, simulation));
  CHECK(picture.starts_with("0 | 0F0 0F1"));
}

TEST_CASE("layers become stages") {
  std::vector<weir::Rational> const costs{5, 20, 13, 7, 11, 10};
  weir::Partition const cut = weir::partition(costs, 4);
  CHECK(cut.bottleneck == 21);  // 5 | 20 | 13 7 | 11 10
}
