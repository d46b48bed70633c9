#include "weir/pipeline/improve_partition.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "weir/pipeline/schedule/one_f_one_b.hpp"

using namespace weir;

TEST_CASE("moving boundaries shortens the run where the largest stage is not all that counts") {
  std::vector<StageCost> layers;
  std::vector<Rational> sums;
  for (std::int64_t const forward : {3, 1, 1, 4, 1, 2, 2, 6}) {
    layers.push_back({forward, 10 - forward, 2});
    sums.emplace_back(12);
  }
  ScheduleTable const table = make_table<OneFOneB>({.workers = 3, .micro_batches = 6});
  std::vector<LayerRange> const uneven{{0, 1}, {1, 2}, {2, 8}};
  std::vector<LayerRange> const improved = improve_partition(table, layers, uneven);
  auto const makespan = [&](std::vector<LayerRange> const& stages) {
    return simulate(table, {.stages = costs_of(stages, layers)}).makespan();
  };
  CHECK(makespan(improved) < makespan(uneven));
  std::vector<LayerRange> const exact = partition(sums, 3).stages;
  CHECK(makespan(improve_partition(table, layers, exact)) <= makespan(exact));
  // Nothing that one move could reach is shorter.
  for (std::size_t boundary = 1; boundary < 3; ++boundary) {
    for (int const step : {-1, 1}) {
      std::vector<LayerRange> moved = improved;
      moved[boundary - 1].end = moved[boundary].first =
          improved[boundary].first + static_cast<std::size_t>(static_cast<std::ptrdiff_t>(step));
      if (moved[boundary - 1].size() > 0 && moved[boundary].size() > 0)
        CHECK(makespan(moved) >= makespan(improved));
    }
  }
}

TEST_CASE("stages that leave out layers are refused") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 2, .micro_batches = 2});
  std::vector<StageCost> const layers(4);
  CHECK_THROWS_AS(improve_partition(table, layers, {{0, 2}, {3, 4}}), ContractViolation);
  CHECK_THROWS_AS(improve_partition(table, layers, {{0, 2}, {2, 3}}), ContractViolation);
  CHECK_THROWS_AS(improve_partition(table, layers, {{0, 4}}), ContractViolation);
}
