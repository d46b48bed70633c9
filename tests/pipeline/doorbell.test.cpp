#include "weir/pipeline/doorbell.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;

TEST_CASE("who waits sees every change, however the ring falls") {
  weir::Doorbell bell;
  std::atomic<int> value = 0;
  std::thread other([&] {
    for (int i = 1; i <= 200; ++i) {
      if (i % 20 == 0) std::this_thread::sleep_for(1ms);  // long enough to fall asleep
      value = i;
      bell.ring();
    }
  });
  for (int i = 1; i <= 200; ++i)
    CHECK(bell.wait_until(std::chrono::steady_clock::now() + 10s, [&] { return value >= i; }));
  other.join();
}

TEST_CASE("who waits does something else before each look, and may ring then") {
  weir::Doorbell bell;
  int looks = 0;
  int done = 0;
  auto const is_over = [&] { return ++looks == 50; };
  CHECK(bell.wait_until(std::chrono::steady_clock::now() + 10s, is_over, [&] {
    CHECK(done == looks);
    ++done;
    bell.ring();
  }));
  CHECK(done == 50);
}

TEST_CASE("a wait ends when its time is over") {
  weir::Doorbell bell;
  auto const begin = std::chrono::steady_clock::now();
  CHECK_FALSE(bell.wait_until(begin + 5ms, [] { return false; }));
  CHECK(std::chrono::steady_clock::now() - begin >= 5ms);
}
