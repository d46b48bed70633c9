#include "weir/tensor/growing_buffer.hpp"

#include <doctest/doctest.h>

#include "weir/host/executor.hpp"

TEST_CASE("a growing buffer keeps its memory while it suffices and gives at least what is asked for") {
  weir::GrowingBuffer<int, weir::HostExecutor> buffer{weir::HostExecutor(), 4};
  int* const first = buffer.take(3).data();
  CHECK(buffer.take(4).data() == first);
  CHECK(buffer.take(0).empty());
  auto const larger = buffer.take(100);
  CHECK(larger.size() == 100);
  CHECK(buffer.capacity() == 125);
  larger[99] = 7;
  CHECK(buffer.take(120).data() == larger.data());
  weir::GrowingBuffer<int, weir::HostExecutor> empty{weir::HostExecutor()};
  CHECK(empty.capacity() == 0);
  CHECK(empty.take(0).data() == nullptr);
}
