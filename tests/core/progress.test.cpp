#include "weir/core/progress.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

TEST_CASE("a target that has been reached is not waited for") {
  weir::Progress progress;
  progress.wait_for(0);
  progress.advance();
  progress.advance();
  CHECK(progress.count() == 2);
  progress.wait_for(1);
  progress.wait_for(2);
  progress.advance_to(10);
  CHECK(progress.count() == 10);
  progress.wait_for(10);
}

TEST_CASE("who waits is woken when its target is reached, not before, and sees what was written until then") {
  weir::Progress progress;
  std::size_t written = 0;  // not atomic: the counter orders it
  std::vector<std::thread> waiting;
  std::atomic<std::size_t> wrong = 0;
  for (std::size_t target = 1; target <= 4; ++target) {
    waiting.emplace_back([&, target] {
      progress.wait_for(target * 100);
      if (progress.count() < target * 100) ++wrong;
      if (target == 4 && written != 400) ++wrong;
    });
  }
  for (std::size_t count = 1; count <= 400; ++count) {
    written = count;
    if (count % 2 == 0) {
      progress.advance_to(count);
    } else {
      progress.advance();
    }
    if (count % 50 == 0) std::this_thread::yield();
  }
  for (std::thread& thread : waiting) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("two threads hand a turn back and forth a thousand times") {
  weir::Progress here, there;
  std::size_t turns = 0;  // not atomic: the counters order it
  std::thread other([&] {
    for (std::size_t turn = 1; turn <= 1000; ++turn) {
      here.wait_for(turn);
      ++turns;
      there.advance();
    }
  });
  for (std::size_t turn = 1; turn <= 1000; ++turn) {
    here.advance();
    there.wait_for(turn);
    CHECK(turns == turn);
  }
  other.join();
}
