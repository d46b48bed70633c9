#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "weir/cuda/kernels/sparsify_memory.cuh"

using Work = weir::detail::DeviceWork<float>;
using Places = weir::detail::StepPlaces<float>;

TEST_CASE("a step reads one side and writes the other, whichever is valid; a memory of differences stays") {
  weir::ThresholdState state;
  float memory[6] = {};
  Work work{};
  work.accumulator = memory + 5;
  work.state = &state;
  CHECK(Places::of(work).accumulator == memory + 5);
  CHECK(Places::of(work).kept == nullptr);
  work.residual = {memory, memory + 1, 1, &state.side};
  work.momentum = {memory + 2, memory + 3, 1, &state.side};
  for (std::uint32_t const side : {0u, 1u}) {
    state.side = side;
    work.constants.feedback = weir::FeedbackKind::conserving;
    Places const places = Places::of(work);
    CHECK(places.residual == memory + side);
    CHECK(places.accumulator == memory + 1 - side);
    CHECK(places.kept == places.accumulator);
    CHECK(places.momentum == memory + 2 + side);
    CHECK(places.next_momentum == memory + 3 - side);
    work.constants.feedback = weir::FeedbackKind::differences;
    CHECK(Places::of(work).accumulator == memory + 5);
    CHECK(Places::of(work).kept == memory + side);
  }
}

TEST_CASE("units end where the bucket does, and choices are keyed by the step that is told, or the state's") {
  weir::ThresholdState state;
  state.step = 7;
  std::uint64_t const told = 9;
  Work work{};
  work.layout = weir::detail::SparsifyLayout::of(700);
  CHECK(work.end_of(0) == 512);
  CHECK(work.end_of(1) == 700);
  CHECK(work.key(state).step == 7);
  work.step = &told;
  CHECK(work.key(state).step == 9);
}
