#include "weir/exec/immediate_executor.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <thread>

#include "weir/comm/threads.hpp"

namespace {

struct Heap {
  using memory_space = weir::HostSpace;
  void* allocate(std::size_t bytes) const { return ::operator new(bytes); }
  void deallocate(void* memory, std::size_t) const noexcept { ::operator delete(memory); }
};

using Immediate = weir::ImmediateExecutor<Heap>;
static_assert(weir::HostOrderedExecutor<Immediate>);

}  // namespace

TEST_CASE("what is submitted has run when submit returns, on the calling thread") {
  Immediate const executor;
  std::thread::id where;
  executor.submit([&] { where = std::this_thread::get_id(); });
  CHECK(where == std::this_thread::get_id());
  int depth = 0;
  executor.submit([&](Immediate const& point) { point.submit([&] { ++depth; }); });
  executor.fork().submit([&] { ++depth; });
  CHECK(depth == 2);
}

TEST_CASE("submit throws what the function throws") {
  Immediate const executor;
  CHECK_THROWS_AS(executor.submit([] { throw 7; }), int);
}

TEST_CASE("memory comes from the source") {
  Immediate const executor;
  void* const memory = executor.allocate(64);
  CHECK(memory != nullptr);
  executor.deallocate(memory, 64);
}

TEST_CASE("a communicator works on it") {
  auto const ranks = weir::ThreadCommunicator::group(2);
  float values[] = {1.0F, 2.0F};
  std::thread other([&] { ranks[1].all_reduce(Immediate(), weir::view(&values[1], 1)); });
  ranks[0].all_reduce(Immediate(), weir::view(&values[0], 1));
  other.join();
  CHECK(values[0] == 3.0F);
  CHECK(values[1] == 3.0F);
}
