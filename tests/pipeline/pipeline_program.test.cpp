#include "weir/pipeline/pipeline_program.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/activations.hpp"
#include "weir/pipeline/drop_backwards.hpp"
#include "weir/pipeline/insert_recompute.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/zb_v.hpp"

using weir::detail::LaneMap;
using weir::detail::PipelineProgram;

TEST_CASE("places for activations are as many as micro-batches under way") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 4, .micro_batches = 8});
  LaneMap const lanes(table);
  PipelineProgram const program(table, lanes, {}, weir::Recompute::never);
  auto const peaks = weir::peak_activations(table);
  for (std::uint32_t lane = 0; lane < 4; ++lane) {
    CHECK(program.places(lane) == peaks[lane]);
    CHECK(program.records(lane) == peaks[lane]);
  }
}

TEST_CASE("where the forward is computed again, activations are held by one micro-batch, inputs by all") {
  auto const table = weir::insert_recompute(
      weir::make_table<weir::OneFOneB>({.workers = 4, .micro_batches = 8}), weir::Recompute::except_last);
  LaneMap const lanes(table);
  PipelineProgram const program(table, lanes, {}, weir::Recompute::except_last);
  CHECK(program.places(0) == 1);
  CHECK(program.records(0) == 4);
  CHECK(program.places(3) == 1);
}

TEST_CASE("stages of one worker take the place of each other's activations, never that of one under way") {
  auto const table = weir::make_table<weir::ZbV>({.workers = 3, .micro_batches = 8});
  LaneMap const lanes(table);
  std::vector<std::size_t> const bytes{64, 128, 64, 64, 192, 128};
  PipelineProgram const program(table, lanes, {}, weir::Recompute::never, false, bytes);
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    std::vector<int> holder(program.places(worker), -1);
    for (auto const& step : program.worker(worker)) {
      int const id = static_cast<int>(step.operation.micro_batch * 6 + step.lane);
      for (std::size_t i = 0; i < bytes[step.lane]; ++i) {
        int& held_by = holder.at(step.place + i);
        REQUIRE(held_by == (weir::is_forward(step.operation) ? -1 : id));
        held_by = weir::gives_weight_gradient(step.operation) ? -1 : id;
      }
    }
  }
}

TEST_CASE("the smallest gap with room is taken") {
  weir::detail::FreeBytes free;
  CHECK(free.take(10) == 0);
  CHECK(free.take(4) == 10);
  CHECK(free.take(6) == 14);
  CHECK(free.take(1) == 20);
  free.give_back(0);
  free.give_back(14);
  CHECK(free.take(5) == 14);
  CHECK(free.take(6) == 0);
  CHECK(free.take(5) == 21);
  CHECK(free.most() == 26);
}

TEST_CASE("an evaluation holds one micro-batch") {
  auto const table =
      weir::drop_backwards(weir::make_table<weir::OneFOneB>({.workers = 4, .micro_batches = 8}));
  LaneMap const lanes(table);
  PipelineProgram const program(table, lanes, {}, weir::Recompute::never);
  for (std::uint32_t lane = 0; lane < 4; ++lane) CHECK(program.records(lane) == 1);
}

TEST_CASE("no two micro-batches under way share a record") {
  auto const table = weir::make_table<weir::ZbV>({.workers = 3, .micro_batches = 8});
  LaneMap const lanes(table);
  PipelineProgram const program(table, lanes, {}, weir::Recompute::never);
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    std::vector<std::vector<int>> holder(lanes.lanes(), std::vector<int>(64, -1));
    for (auto const& step : program.worker(worker)) {
      int& held_by = holder[step.lane][step.record];
      int const j = static_cast<int>(step.operation.micro_batch);
      CHECK(program.record(step.lane, step.operation.micro_batch) == step.record);
      CHECK(held_by == (weir::is_forward(step.operation) ? -1 : j));
      held_by = weir::gives_weight_gradient(step.operation) ? -1 : j;
    }
  }
}
