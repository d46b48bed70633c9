#include "weir/exec/task_ring.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

/// A ring with a thread that runs it.
struct Running {
  weir::TaskRing<int> ring;
  int argument = 3;
  std::thread thread{[this] { ring.run(argument); }};

  ~Running() {
    ring.close();
    thread.join();
  }
};

}  // namespace

TEST_CASE("tasks run in the order of a producer, each once, with many producers at a time") {
  constexpr std::size_t producers = 4, each = 1000;
  std::vector<std::vector<std::size_t>> order(producers);
  {
    Running running;
    std::vector<std::thread> threads;
    for (std::size_t producer = 0; producer < producers; ++producer) {
      threads.emplace_back([&, producer] {
        for (std::size_t i = 0; i < each; ++i) {
          running.ring.push([&mine = order[producer], i](int& argument) {
            if (argument == 3) mine.push_back(i);
          });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    running.ring.drain();
  }
  for (auto const& mine : order) {
    REQUIRE(mine.size() == each);
    for (std::size_t i = 0; i < each; ++i) CHECK(mine[i] == i);
  }
}

TEST_CASE("a full ring makes the producer wait for room") {
  Running running;
  std::atomic<bool> go = false;
  std::atomic<std::size_t> pushed = 0, ran = 0;
  running.ring.push([&] {
    while (!go) std::this_thread::yield();
  });
  std::thread producer([&] {
    for (std::size_t i = 0; i < 2 * weir::TaskRing<int>::capacity; ++i) {
      running.ring.push([&] { ++ran; });
      ++pushed;
    }
  });
  while (pushed < weir::TaskRing<int>::capacity - 1) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  CHECK(pushed == weir::TaskRing<int>::capacity - 1);
  CHECK(ran == 0);
  go = true;
  producer.join();
  running.ring.drain();
  CHECK(ran == 2 * weir::TaskRing<int>::capacity);
}

TEST_CASE("drain rethrows the first failure, once, and the tasks after it have run") {
  Running running;
  bool after = false;
  running.ring.push([] { throw std::runtime_error("first"); });
  running.ring.push([] { throw std::logic_error("second"); });
  running.ring.push([&] { after = true; });
  CHECK_THROWS_WITH_AS(running.ring.drain(), "first", std::runtime_error);
  CHECK(after);
  CHECK_NOTHROW(running.ring.drain());
}
