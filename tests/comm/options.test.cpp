#include "weir/comm/options.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;

TEST_CASE("a deadline is thirty seconds unless said otherwise, and may be endless") {
  CHECK(weir::CommOptions{}.deadline == 30s);
  auto const now = std::chrono::steady_clock::now();
  CHECK(weir::CommOptions{.deadline = 5s}.give_up_time() >= now + 5s);
  CHECK(weir::CommOptions{.deadline = 5s}.give_up_time() < now + 25s);
  CHECK(weir::CommOptions{.deadline = std::chrono::milliseconds::max()}.give_up_time() > now + 1000h);
}
