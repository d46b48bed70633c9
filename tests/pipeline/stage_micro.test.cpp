#include "weir/pipeline/stage_micro.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>

#include "weir/host/executor.hpp"

TEST_CASE("a stage sees the tensors of its edges, cut to the samples of the micro-batch") {
  weir::HostExecutor const executor;
  weir::detail::MessageLayout const layout{.elements = {2, 0, 1}, .offsets = {0, 64, 64}, .bytes = 128};
  weir::detail::StageLane<weir::HostExecutor, float> lane{.stage = 1, .stages = 3};
  lane.inputs = &layout;
  alignas(64) std::byte memory[128];
  weir::LossSum loss;
  weir::detail::StageCall<weir::HostExecutor, float> call{.executor = executor, .lane = lane};
  call.samples = 3;
  call.local_batch = 4;
  call.input = memory;
  call.loss = &loss;
  call.seed = 5;
  call.step = 6;
  call.global_index = 7;
  int const samples[3] = {};
  weir::StageMicro<weir::HostExecutor, std::span<int const>> const micro(call, samples);

  CHECK(micro.input(0).size() == 6);
  CHECK(micro.input(1).empty());  // without a gradient, say
  CHECK(micro.input(2).size() == 3);
  CHECK(static_cast<void const*>(micro.input(2).data()) == memory + 64);
  CHECK(micro.input(3).empty());
  CHECK(micro.output().empty());
  CHECK(micro.loss_scale() == 0.75f);
  CHECK_FALSE(micro.is_last_stage());

  weir::RandomStream const random{5, 6, 7, 8};
  CHECK(micro.random(8).word(0) == random.word(0));

  micro.loss(2.0);
  call.is_recompute = true;
  micro.loss(2.0);  // was counted
  CHECK(loss.sum == 6.0);
  CHECK(loss.samples == 3);
}
