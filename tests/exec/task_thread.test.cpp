#include "weir/exec/task_thread.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>

#include "weir/exec/task_ring.hpp"

namespace {

struct Argument {
  std::thread::id const* maker;
};
using Thread = weir::TaskThread<Argument>;

}  // namespace

TEST_CASE("tasks run on a thread of their own, with the argument that was made for them") {
  auto const here = std::this_thread::get_id();
  bool elsewhere = false, same_argument = false;
  Thread thread([&](Thread*) { return Argument{&here}; });
  thread.ring().push([&](Argument const& argument) {
    elsewhere = std::this_thread::get_id() != here;
    same_argument = argument.maker == &here;
  });
  thread.ring().drain();
  CHECK(elsewhere);
  CHECK(same_argument);
}

TEST_CASE("what was pushed before the end runs before it") {
  int ran = 0;
  {
    Thread thread([](Thread*) { return Argument{nullptr}; });
    for (int i = 0; i < 50; ++i) thread.ring().push([&] { ++ran; });
  }
  CHECK(ran == 50);
}

TEST_CASE("the last owner of the thread may be one of its tasks") {
  std::atomic<bool> done = false;
  std::atomic<bool> released = false;
  {
    auto thread = std::make_shared<Thread>([](Thread*) { return Argument{nullptr}; });
    auto& ring = thread->ring();
    ring.push([owner = thread, &released]() mutable {
      while (!released) std::this_thread::yield();
      owner.reset();
    });
    ring.push([&done] { done = true; });
    thread.reset();
    released = true;
  }
  while (!done) std::this_thread::yield();
  CHECK(done);
}

TEST_CASE("it may be so where the ring is full behind that task") {
  constexpr std::size_t behind = weir::TaskRing<Argument>::capacity - 1;
  std::atomic<std::size_t> ran = 0;
  std::atomic<bool> released = false;
  {
    auto thread = std::make_shared<Thread>([](Thread*) { return Argument{nullptr}; });
    auto& ring = thread->ring();
    ring.push([owner = thread, &released]() mutable {
      while (!released) std::this_thread::yield();
      owner.reset();
    });
    for (std::size_t i = 0; i < behind; ++i) ring.push([&ran] { ++ran; });
    thread.reset();
    released = true;
  }
  while (ran != behind) std::this_thread::yield();
  CHECK(ran == behind);
}
