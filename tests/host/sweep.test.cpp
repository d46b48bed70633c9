#include "weir/host/sweep.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <vector>

#include "each_width.hpp"
#include "weir/host/thread_team.hpp"

namespace {

struct Increment {
  using Real = int;
  int* values;

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    weir::Lanes<int, Count> here;
    __builtin_memcpy(&here, values + i, sizeof(here));
    here += 1;
    __builtin_memcpy(values + i, &here, sizeof(here));
  }
};

}  // namespace

TEST_CASE("an elementwise kernel visits each element of its range once, whatever the width") {
  std::vector<int> values;
  with_each_width(
      3, 90,
      [&] {
        values.assign(100, 0);
        return weir::detail::Elementwise<Increment>{{values.data()}};
      },
      [&](char const* width) {
        CAPTURE(width);
        for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == (i >= 3 && i < 90 ? 1 : 0));
      });
}

TEST_CASE("a sweep covers everything once, at any size and number of threads") {
  for (std::size_t threads : {1u, 2u, 5u}) {
    weir::ThreadTeam team(threads);
    for (std::size_t size : {0u, 1u, 1023u, 32767u, 32768u, 32769u, 500'000u}) {
      std::vector<int> values(size);
      weir::detail::sweep_elementwise(team, size, 8, Increment{values.data()});
      CHECK(values == std::vector<int>(size, 1));
    }
  }
}

TEST_CASE("only large loops are shared") {
  weir::ThreadTeam team(2);
  auto const parts_of = [&](std::size_t size, std::size_t bytes) {
    std::atomic<std::size_t> parts = 0, elements = 0;
    weir::detail::share(team, size, bytes, [&](std::size_t begin, std::size_t end) {
      parts += 1;
      elements += end - begin;
    });
    CHECK(elements == size);
    return parts.load();
  };
  CHECK(parts_of(0, 4) == 1);
  CHECK(parts_of(weir::detail::shared_from_bytes / 4 - 1, 4) == 1);
  CHECK(parts_of(weir::detail::shared_from_bytes / 4, 4) == 2);
  CHECK(parts_of(1 << 20, 4) == 8 * 2);
  CHECK(parts_of(1 << 30, 4) == 8 * 2);
  CHECK(parts_of(3000, 1'000'000) == 3);  // of at least 1024 elements
}
