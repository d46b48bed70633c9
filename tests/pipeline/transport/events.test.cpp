#include "weir/pipeline/transport/events.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "pipeline/logging_executor.hpp"

TEST_CASE("a message is an event that the sender records and the receiver waits for, in any order of tags") {
  LoggingExecutor const executor;
  weir::EventTransport<LoggingExecutor> transport;
  std::vector<weir::PipelineEdge> const edges{{0, 1, true}, {1, 0, false}};
  transport.open(edges, 2, {}, executor);
  CHECK(transport.capacity(0) == 2);
  weir::PipelineMessage const first{.tag = {.micro_batch = 4}, .bytes = 1};
  weir::PipelineMessage const second{.tag = {.micro_batch = 5}, .bytes = 2};
  CHECK(transport.try_send(0, first, executor));
  CHECK_THROWS_WITH_AS(transport.try_send(0, first, executor),
                       "edge 0 -> 1 (F) holds 0F4 already, and it was sent again", weir::ContractViolation);
  std::string const of_first = executor.taken();
  CHECK(transport.try_send(0, second, executor));
  std::string const of_second = executor.taken();
  CHECK(of_first != of_second);
  weir::PipelineMessage const third{.tag = {.micro_batch = 6}};
  CHECK_FALSE(transport.try_send(0, third, executor));
  weir::PipelineMessage message;
  CHECK_FALSE(transport.try_receive(0, third.tag, message, executor));
  CHECK_FALSE(transport.try_receive(1, first.tag, message, executor));
  CHECK(executor.taken().empty());
  CHECK(transport.try_receive(0, second.tag, message, executor));
  CHECK(message.bytes == 2);
  CHECK(executor.taken() == "w" + of_second.substr(1));
  CHECK(transport.try_receive(0, first.tag, message, executor));
  CHECK(executor.taken() == "w" + of_first.substr(1));
  CHECK(transport.try_send(0, third, executor));
  transport.clear();
  CHECK_FALSE(transport.try_receive(0, third.tag, message, executor));
}
