#include "weir/pipeline/buffer_guards.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "pipeline/logging_executor.hpp"

TEST_CASE("who takes a buffer waits for the stream that gave it back, in the same run") {
  LoggingExecutor const executor;
  weir::detail::BufferGuards<LoggingExecutor> guards;
  guards.make(3, [&](std::size_t) { return executor; });
  std::byte memory[2 * 8];
  weir::MessagePool pool(memory, 8, 2, 1);
  weir::PipelineMessage const message{.tag = {}, .data = pool.take(), .bytes = 8, .home = &pool};
  guards.begin(0);
  guards.take(message, 0, executor);
  CHECK(executor.taken().empty());
  guards.give_back(message, 1, executor);
  guards.take(message, 1, executor);  // its own stream
  CHECK(executor.taken() == "r1 ");
  guards.take(message, 0, executor);
  CHECK(executor.taken() == "w1 ");
  guards.begin(1);
  guards.take(message, 0, executor);
  CHECK(executor.taken().empty());
}
