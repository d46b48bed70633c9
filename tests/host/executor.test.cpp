#include "weir/host/executor.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using weir::HostExecutor;

static_assert(weir::Executor<HostExecutor>);
static_assert(weir::HostOrderedExecutor<HostExecutor>);

/// Keeps a stream busy until it is opened.
class Gate {
 public:
  void hold(HostExecutor const& executor) {
    executor.submit([this] {
      while (!open_) std::this_thread::yield();
    });
  }
  void open() { open_ = true; }

 private:
  std::atomic<bool> open_ = false;
};

struct CountingResource : std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (bytes > limit) throw std::bad_alloc();
    allocated += bytes;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    allocated -= bytes;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(memory_resource const& other) const noexcept override { return this == &other; }

  std::size_t allocated = 0;
  std::size_t limit = 1000;
};

}  // namespace

TEST_CASE("what is submitted runs later, in order, on the stream's own thread") {
  HostExecutor const executor;
  Gate gate;
  gate.hold(executor);
  std::vector<int> order;
  std::thread::id stream_thread;
  for (int i = 0; i < 20; ++i) executor.submit([&, i] { order.push_back(i); });
  executor.submit([&] { stream_thread = std::this_thread::get_id(); });
  CHECK(order.empty());
  gate.open();
  executor.synchronize();
  REQUIRE(order.size() == 20);
  for (int i = 0; i < 20; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  CHECK(stream_thread != std::this_thread::get_id());
}

TEST_CASE("what a task calls on its handle comes before everything appended later") {
  HostExecutor const executor;
  std::vector<int> order;
  executor.submit([&](HostExecutor const& point) {
    CHECK(point.stream() == executor.stream());
    point.submit([&order] { order.push_back(1); });
    point.submit([&order](HostExecutor const& inner) { inner.submit([&order] { order.push_back(2); }); });
    point.synchronize();
    order.push_back(3);
  });
  executor.submit([&] { order.push_back(4); });
  executor.synchronize();
  CHECK(order == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("a copy names the same stream, a fork another one with the same team") {
  HostExecutor const executor{{.threads = 2}};
  HostExecutor const copy = executor, fork = executor.fork();
  CHECK(copy.stream() == executor.stream());
  CHECK(fork.stream() != executor.stream());
  CHECK(&fork.team() == &executor.team());
  CHECK(executor.team().size() == 2);
  Gate gate;
  gate.hold(executor);
  bool ran = false;
  fork.submit([&] { ran = true; });
  fork.synchronize();  // would never return if the fork were the stream that is held
  CHECK(ran);
  gate.open();
  executor.synchronize();
}

TEST_CASE("a stream that waits for an event starts after what was recorded, the caller goes on at once") {
  HostExecutor const producer, consumer;
  auto const event = producer.make_event();
  Gate gate;
  int value = 0;  // not atomic: the event orders it
  gate.hold(producer);
  producer.submit([&] { value = 42; });
  producer.record(event);
  consumer.wait(event);
  int seen = 0;
  consumer.submit([&] { seen = value; });
  gate.open();
  consumer.synchronize();
  CHECK(seen == 42);
}

TEST_CASE("an event that nothing has recorded blocks nobody") {
  HostExecutor const executor;
  auto const event = executor.make_event();
  executor.wait(event);
  executor.synchronize(event);
  executor.synchronize();
}

TEST_CASE("a wait is for the latest record called before it, a later one changes nothing") {
  HostExecutor const producer, consumer;
  auto const event = producer.make_event();
  Gate first, second;
  first.hold(producer);
  producer.record(event);
  consumer.wait(event);
  second.hold(producer);
  producer.record(event);
  first.open();
  consumer.synchronize();  // although the second record has not been reached
  CHECK(!event.reached(event.announced()));
  second.open();
  producer.synchronize(event);
  CHECK(event.reached(event.announced()));
}

TEST_CASE("the caller waits for an event, not for what comes after it") {
  HostExecutor const executor;
  auto const event = executor.make_event();
  Gate gate;
  bool before = false;
  executor.submit([&] { before = true; });
  executor.record(event);
  gate.hold(executor);
  executor.synchronize(event);
  CHECK(before);
  gate.open();
  executor.synchronize();
}

TEST_CASE("an event may be recorded and waited for inside a task") {
  HostExecutor const one, other;
  auto const event = one.make_event();
  int value = 0;
  one.submit([&](HostExecutor const& point) {
    value = 1;
    point.record(event);
  });
  one.synchronize();
  other.wait(event);
  other.submit([&] { value += 1; });
  other.synchronize();
  CHECK(value == 2);
}

TEST_CASE("an event is recorded by one stream only") {
  HostExecutor const one, other;
  auto const event = one.make_event();
  one.record(event);
  CHECK_THROWS_AS(other.record(event), weir::ContractViolation);
}

TEST_CASE("an exception is rethrown by synchronize, once, and the stream goes on") {
  HostExecutor const executor;
  bool after = false;
  executor.submit([] { throw std::runtime_error("in a task"); });
  executor.submit([&] { after = true; });
  CHECK_THROWS_WITH_AS(executor.synchronize(), "in a task", std::runtime_error);
  CHECK(after);
  CHECK_NOTHROW(executor.synchronize());
}

TEST_CASE("what was appended runs before the last copy of the handle is gone") {
  int ran = 0;
  {
    HostExecutor const executor;
    for (int i = 0; i < 200; ++i) executor.submit([&] { ++ran; });
  }
  CHECK(ran == 200);
}

TEST_CASE("the last copy of a handle may go within a task of its own stream") {
  std::atomic<bool> done = false;
  Gate gate;
  {
    HostExecutor executor;
    gate.hold(executor);
    executor.submit([copy = std::optional<HostExecutor>(executor), &done]() mutable {
      copy.reset();
      done = true;
    });
  }
  gate.open();
  while (!done) std::this_thread::yield();
  CHECK(done);
}

TEST_CASE("memory comes from the resource that was given, aligned to 64 bytes, also for forks") {
  CountingResource resource;
  {
    HostExecutor const executor{{.memory = &resource}};
    void* const memory = executor.allocate(100);
    CHECK(resource.allocated == 100);
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % 64 == 0);
    void* const more = executor.fork().allocate(7);
    CHECK(resource.allocated == 107);
    executor.deallocate(memory, 100);
    executor.deallocate(more, 7);
    executor.deallocate(nullptr, 0);
    CHECK(resource.allocated == 0);
  }
}

TEST_CASE("memory that cannot be had is an error with the number of bytes") {
  CountingResource resource;
  HostExecutor const executor{{.memory = &resource}};
  try {
    executor.allocate(1001);
    FAIL("nothing was thrown");
  } catch (weir::OutOfMemory const& error) {
    CHECK(error.bytes() == 1001);
  }
  CHECK(resource.allocated == 0);
}

TEST_CASE("streams that wait for each other in turn keep the order over many rounds") {
  HostExecutor const one, other;
  auto const from_one = one.make_event(), from_other = other.make_event();
  std::vector<int> order;  // not synchronised: the events order it
  for (int round = 0; round < 300; ++round) {
    one.wait(from_other);
    one.submit([&order, round] { order.push_back(2 * round); });
    one.record(from_one);
    other.wait(from_one);
    other.submit([&order, round] { order.push_back(2 * round + 1); });
    other.record(from_other);
  }
  one.synchronize();
  other.synchronize();
  REQUIRE(order.size() == 600);
  for (int i = 0; i < 600; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
}
