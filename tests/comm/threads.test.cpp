#include "weir/comm/threads.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>
#include <thread>
#include <vector>

#include "comm/collective_cases.hpp"
#include "comm/thread_ranks.hpp"

using namespace std::chrono_literals;
using weir::HostExecutor;
using weir::ThreadCommunicator;
using weir::view;

TEST_CASE("ranks and sizes are those of the group") {
  auto const ranks = ThreadCommunicator::group(3);
  REQUIRE(ranks.size() == 3);
  for (std::size_t rank = 0; rank < 3; ++rank) {
    CHECK(ranks[rank].rank() == rank);
    CHECK(ranks[rank].size() == 3);
  }
  CHECK_THROWS_AS(ThreadCommunicator::group(0), weir::ContractViolation);
}

TEST_CASE(
    "all collectives give the bits of a sum in rank order, for all element types and numbers of ranks") {
  for (std::size_t const ranks : {1u, 2u, 3u, 5u}) {
    on_all_thread_ranks(ranks, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
      collective_cases::all_types(communicator, executor, 1);
      collective_cases::all_types(communicator, executor, 2'500);
      collective_cases::operators_combine(communicator, executor);
    });
  }
}

TEST_CASE("empty, odd and misaligned views work, divisible by the ranks or not") {
  on_all_thread_ranks(3, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    for (std::size_t offset = 0; offset < 32; ++offset) {
      for (std::size_t count = 0; count < 130; ++count) {
        collective_cases::everything(communicator, executor, offset, count);
      }
    }
  });
}

TEST_CASE("a NaN of any rank is kept by max and min") {
  for (std::size_t bad = 0; bad < 3; ++bad) {
    on_all_thread_ranks(3, [bad](ThreadCommunicator const& communicator, HostExecutor const& executor) {
      bool const is_bad = communicator.rank() == bad;
      std::vector<float> largest{is_bad ? std::numeric_limits<float>::quiet_NaN() : 1.0F};
      std::vector<float> smallest = largest;
      communicator.all_reduce(executor, view(largest), weir::ReduceOp::max);
      communicator.all_reduce(executor, view(smallest), weir::ReduceOp::min);
      executor.synchronize();
      CHECK(largest[0] != largest[0]);
      CHECK(smallest[0] != smallest[0]);
    });
  }
}

TEST_CASE("operations are enqueued: the caller goes on, one thread can drive all ranks") {
  auto const ranks = ThreadCommunicator::group(4);
  std::vector<HostExecutor> streams;
  std::vector<std::vector<float>> data(4, std::vector<float>(1'000, 1.0F));
  for (std::size_t rank = 0; rank < 4; ++rank) streams.emplace_back();
  for (int step = 0; step < 3; ++step) {
    for (std::size_t rank = 0; rank < 4; ++rank) ranks[rank].all_reduce(streams[rank], view(data[rank]));
  }
  for (HostExecutor const& stream : streams) stream.synchronize();
  for (auto const& of_rank : data) CHECK(of_rank[999] == 64.0F);
}

TEST_CASE("many collectives of changing kind and size stay in step") {
  on_all_thread_ranks(4, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    std::vector<std::uint64_t> data(300);
    std::vector<std::uint64_t> all(1'200);
    for (std::size_t step = 0; step < 500; ++step) {
      std::size_t const count = step * 7 % 300;
      auto const part = view(data).part(0, count);
      for (std::uint64_t& value : part) value = communicator.rank() + step;
      if (step % 3 == 0) {
        communicator.all_gather(executor, part, view(all).part(0, 4 * count));
        executor.synchronize();
        if (count > 0) CHECK(all[4 * count - 1] == 3 + step);
      } else {
        communicator.all_reduce(executor, part);
        executor.synchronize();
        if (count > 0) CHECK(part[count - 1] == 6 + 4 * step);
      }
    }
  });
}

TEST_CASE("messages pass between two ranks while the others do something else") {
  on_all_thread_ranks(4, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    std::size_t const partner = communicator.rank() ^ 1;
    int const times = communicator.rank() < 2 ? 200 : 3;
    for (int time = 0; time < times; ++time) {
      std::vector<int> sent(50, time);
      std::vector<int> received(50);
      weir::TransferGroup<weir::HostSpace> group;
      group.send(view(sent), partner);
      group.receive(view(received), partner);
      communicator.exchange(executor, group.transfers());
      executor.synchronize();
      CHECK(received == sent);
    }
  });
}

TEST_CASE("a rank can send to itself") {
  on_all_thread_ranks(2, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    std::vector<int> sent{1, 2};
    std::vector<int> received(2);
    weir::TransferGroup<weir::HostSpace> group;
    for (std::size_t i = 0; i < 2; ++i) {
      group.send(view(sent).part(i, 1), communicator.rank());
      group.receive(view(received).part(i, 1), communicator.rank());
    }
    communicator.exchange(executor, group.transfers());
    executor.synchronize();
    CHECK(received == sent);
  });
}

TEST_CASE("split makes groups by color, ordered by key, that work side by side") {
  on_all_thread_ranks(5, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    std::size_t const rank = communicator.rank();
    ThreadCommunicator const half = communicator.split(rank % 2, 10 - rank);
    CHECK(half.size() == (rank % 2 == 0 ? 3 : 2));
    CHECK(half.rank() == (rank % 2 == 0 ? (4 - rank) / 2 : (3 - rank) / 2));
    std::vector<std::uint64_t> sum{rank};
    half.all_reduce(executor, view(sum));
    executor.synchronize();
    CHECK(sum[0] == (rank % 2 == 0 ? 6 : 4));
    collective_cases::everything(half, executor, 3, 100);
    collective_cases::everything(communicator, executor, 3, 100);
  });
}

TEST_CASE("poll says whether the operations have ended") {
  auto const ranks = ThreadCommunicator::group(2);
  HostExecutor const first;
  HostExecutor const second;
  std::vector<float> left{1.0F};
  std::vector<float> right{2.0F};
  CHECK(ranks[0].poll(0ms));
  ranks[0].all_reduce(first, view(left));
  CHECK_FALSE(ranks[0].poll(5ms));
  ranks[1].all_reduce(second, view(right));
  CHECK(ranks[0].poll(10s));
  CHECK(left[0] == 3.0F);
  second.synchronize();
}

TEST_CASE("what no communicator takes is refused at the call") {
  auto const ranks = ThreadCommunicator::group(2);
  HostExecutor const executor;
  std::vector<float> data(8);
  CHECK_THROWS_WITH_AS(ranks[0].all_reduce(executor, view(data), weir::ReduceOp::bit_or),
                       "bit_or combines integers, not float32", weir::ContractViolation);
  CHECK_THROWS_AS(ranks[0].broadcast(executor, view(data), 2), weir::ContractViolation);
  CHECK_THROWS_AS(ranks[0].all_gather(executor, view(data).part(0, 3), view(data)), weir::ContractViolation);
  CHECK_THROWS_AS(ranks[0].all_gather(executor, view(data).part(1, 4), view(data)), weir::ContractViolation);
  CHECK_THROWS_AS(ranks[1].reduce_scatter(executor, view(data), view(data).part(3, 4)),
                  weir::ContractViolation);
  std::vector<std::size_t> const boundaries{0, 9, 8};
  std::vector<float> part(4);
  CHECK_THROWS_AS(ranks[0].reduce_scatter(executor, view(data), view(part), weir::ReduceOp::sum, boundaries),
                  weir::ContractViolation);
  weir::TransferGroup<weir::HostSpace> group;
  group.send(view(data), 2);
  CHECK_THROWS_AS(ranks[0].exchange(executor, group.transfers()), weir::ContractViolation);
  executor.synchronize();
}

TEST_CASE("two streams of one rank at the same time are an error, not a race") {
  auto const ranks = ThreadCommunicator::group(2);
  HostExecutor const one;
  HostExecutor const other;
  HostExecutor const peer;
  std::vector<float> a(1);
  std::vector<float> b(1);
  std::vector<float> c(1);
  weir::TransferGroup<weir::HostSpace> both;
  both.receive(view(a), 1);
  both.receive(view(b), 1);
  ranks[0].exchange(one, both.transfers());
  weir::TransferGroup<weir::HostSpace> first;
  first.send(view(c), 0);
  ranks[1].exchange(peer, first.transfers());
  peer.synchronize();  // so the first stream is inside, and waits for the second message
  ranks[0].all_reduce(other, view(b));
  CHECK_THROWS_AS(other.synchronize(), weir::ContractViolation);
  ranks[1].abort();
  CHECK_THROWS_AS(one.synchronize(), weir::PeerAborted);
}
