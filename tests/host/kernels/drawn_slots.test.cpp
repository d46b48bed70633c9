#include "weir/host/kernels/drawn_slots.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "fault/sanitizers.hpp"

namespace {

/// The slots by place, as they come out with so many threads.
std::vector<std::size_t> drawn(std::size_t size, std::size_t count, std::size_t threads) {
  using Slots = weir::detail::DrawnSlots<float>;
  weir::ThreadTeam team(threads);
  std::vector<std::byte> memory(Slots::Pool::bytes(size, threads), std::byte{0xff});
  Slots::Pool const pool(memory.data(), size, threads);
  Slots slots(team, pool, size);
  slots.draw(weir::SlotPermutation({1, 2, 3}, size), count);
  std::vector<std::size_t> result(count, size);
  slots.for_each([&](std::size_t place, std::size_t slot) { result.at(place) = slot; });
  return result;
}

}

TEST_CASE("the first slots of a permutation come out in ascending order, with any number of threads") {
  for (std::size_t size : {1u, 64u, 65u, 70'000u, 600'001u}) {
    weir::SlotPermutation const slots({1, 2, 3}, size);
    for (std::size_t count : {std::size_t{0}, std::size_t{1}, size / 10, size}) {
      std::vector<std::size_t> expected;
      for (std::size_t i = 0; i < count; ++i) expected.push_back(static_cast<std::size_t>(slots(i)));
      std::sort(expected.begin(), expected.end());
      for (std::size_t threads = 1; threads <= 8; threads += UNDER_THREAD_SANITIZER ? 3 : 1) {
        CAPTURE(threads);
        CHECK(drawn(size, count, threads) == expected);
      }
    }
  }
}
