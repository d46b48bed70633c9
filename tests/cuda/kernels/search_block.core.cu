#include <doctest/doctest.h>

#include <cstdint>

#include "cuda/kernels/play_kernels.cuh"

TEST_CASE("all threads and warps of a block take a step, and its last thread is the last") {
  play::Block const block;
  unsigned count = 0, sum = 0, last = 0;
  block.each([&](unsigned thread) {
    ++count;
    sum += thread;
    last = thread;
  });
  CHECK(count == 256);
  CHECK(sum == 255 * 256 / 2);
  CHECK(last == 255);
  unsigned warps = 0;
  block.warps([&](play::Warp const& warp, unsigned number) {
    CHECK(number == warps++);
    warp.first([&] { sum = number; });
  });
  CHECK(warps == 8);
  CHECK(sum == 7);
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
