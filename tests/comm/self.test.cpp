#include "weir/comm/self.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

#include "comm/collective_cases.hpp"
#include "weir/host/executor.hpp"

using weir::HostExecutor;
using weir::SelfCommunicator;
using weir::view;

TEST_CASE("one rank: every collective is a copy or nothing") {
  SelfCommunicator const communicator;
  HostExecutor const executor;
  CHECK(communicator.rank() == 0);
  CHECK(communicator.size() == 1);
  communicator.reserve(executor, 1'000);
  communicator.abort();
  CHECK(communicator.poll(std::chrono::milliseconds(0)));
  CHECK(communicator.split(3, 4).size() == 1);
  collective_cases::all_types(communicator, executor, 1);
  collective_cases::all_types(communicator, executor, 300);
  collective_cases::operators_combine(communicator, executor);
  for (std::size_t count = 0; count < 20; ++count)
    collective_cases::everything(communicator, executor, 3, count);
}

TEST_CASE("what a group of ranks refuses is refused by one rank, too") {
  SelfCommunicator const communicator;
  HostExecutor const executor;
  std::vector<float> data(4);
  CHECK_THROWS_AS(communicator.all_reduce(executor, view(data), weir::ReduceOp::bit_or),
                  weir::ContractViolation);
  CHECK_THROWS_AS(communicator.broadcast(executor, view(data), 1), weir::ContractViolation);
  CHECK_THROWS_AS(communicator.all_gather(executor, view(data).part(0, 3), view(data)),
                  weir::ContractViolation);
  CHECK_THROWS_AS(communicator.reduce_scatter(executor, view(data), view(data).part(1, 3)),
                  weir::ContractViolation);
}

TEST_CASE("messages to oneself pair up, or are an error") {
  SelfCommunicator const communicator;
  HostExecutor const executor;
  std::vector<float> sent(4);
  std::vector<float> received(4);
  weir::TransferGroup<weir::HostSpace> group;
  group.send(view(sent), 0);
  communicator.exchange(executor, group.transfers());
  CHECK_THROWS_AS(executor.synchronize(), weir::ContractViolation);
  group.receive(view(received).part(0, 3), 0);
  communicator.exchange(executor, group.transfers());
  CHECK_THROWS_AS(executor.synchronize(), weir::FingerprintMismatch);
  weir::TransferGroup<weir::HostSpace> only_receive;
  only_receive.receive(view(received), 0);
  communicator.exchange(executor, only_receive.transfers());
  CHECK_THROWS_AS(executor.synchronize(), weir::ContractViolation);
  weir::TransferGroup<weir::HostSpace> to_nobody;
  to_nobody.receive(view(received), 1);
  CHECK_THROWS_AS(communicator.exchange(executor, to_nobody.transfers()), weir::ContractViolation);
}
