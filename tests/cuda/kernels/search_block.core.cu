#include <doctest/doctest.h>

#include <cstdint>

#include "cuda/kernels/play_kernels.cuh"

namespace {

struct Steps {
  unsigned threads = 0;
  unsigned sum = 0;
  unsigned last = 0;
  unsigned warps = 0;
  bool in_order = true;
};

WEIR_HOST_DEVICE void take_steps(play::Block const& block, Steps& steps) {
  block.each([&](unsigned thread) {
    ++steps.threads;
    steps.sum += thread;
    steps.last = thread;
  });
  block.warps([&](play::Warp const& warp, unsigned number) {
    steps.in_order = steps.in_order && number == steps.warps;
    warp.first([&] { ++steps.warps; });
  });
}

}  // namespace

TEST_CASE("all threads and warps of a block take a step, and its last thread is the last") {
  Steps steps;
  take_steps(play::Block{}, steps);
  CHECK(steps.threads == 256);
  CHECK(steps.sum == 255 * 256 / 2);
  CHECK(steps.last == 255);
  CHECK(steps.warps == 8);
  CHECK(steps.in_order);
}

TEST_CASE("words are added to, raised, lowered and set, and bits are counted") {
  std::uint64_t wide = 5;
  std::uint32_t narrow = 5;
  weir::detail::add_together(&wide, std::uint64_t{1} << 40);
  CHECK(wide == (std::uint64_t{1} << 40) + 5);
  weir::detail::raise_together(&narrow, 3u);
  CHECK(narrow == 5);
  weir::detail::raise_together(&narrow, 9u);
  CHECK(narrow == 9);
  weir::detail::lower_together(&narrow, 4u);
  CHECK(narrow == 4);
  weir::detail::set_together(&narrow, 0x10u);
  CHECK(narrow == 0x14);
  CHECK(weir::detail::ones(0xf00f'0001u) == 9);
  CHECK(weir::detail::threads_before(0) == 0);
  CHECK(weir::detail::threads_before(31) == 0x7fff'ffffu);
}
