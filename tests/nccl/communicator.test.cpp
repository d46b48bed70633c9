#include "weir/nccl/communicator.hpp"

#include <doctest/doctest.h>

#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "comm/collective_cases.hpp"
#include "comm/thread_ranks.hpp"
#include "support/cuda/mirrored.hpp"
#include "support/nccl/machine.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/comm/gather_pairs.hpp"
#include "weir/comm/mesh.hpp"
#include "weir/comm/pollable.hpp"
#include "weir/cuda/graph.hpp"

using namespace std::chrono_literals;
using nccl_ranks::contains;
using nccl_ranks::Machine;
using nccl_ranks::text_thrown;
using weir::CudaExecutor;
using weir::DeviceSpace;
using weir::NcclCommunicator;

static_assert(weir::DescribedCommunicator<NcclCommunicator>);
static_assert(weir::PollableCommunicator<NcclCommunicator> && weir::CheckableCommunicator<NcclCommunicator>);
static_assert(weir::SplittingCommunicator<NcclCommunicator>);
static_assert(weir::ReservingCommunicator<NcclCommunicator, CudaExecutor>);
static_assert(weir::ReducingCommunicator<NcclCommunicator, CudaExecutor, weir::bfloat16>);
static_assert(weir::ReducingCommunicator<NcclCommunicator, CudaExecutor, std::uint64_t>);
static_assert(!weir::ReducingCommunicator<NcclCommunicator, CudaExecutor, std::byte>);
static_assert(weir::GatheringCommunicator<NcclCommunicator, CudaExecutor, std::byte>);
static_assert(weir::ScatteringCommunicator<NcclCommunicator, CudaExecutor, double>);
static_assert(weir::BroadcastingCommunicator<NcclCommunicator, CudaExecutor, std::uint8_t>);
static_assert(weir::PointToPointCommunicator<NcclCommunicator, CudaExecutor>);
static_assert(!weir::ReducingCommunicator<NcclCommunicator, weir::HostExecutor>);

TEST_CASE("all collectives give the bits of a sum in rank order, for all element types") {
  for (std::size_t const ranks : {1u, 2u, 3u, 4u}) {
    CAPTURE(ranks);
    Machine machine(ranks, {}, 7 * ranks);
    nccl_ranks::on_ranks(ranks, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      collective_cases::all_types(Mirrored(communicator), executor, 100);
    });
  }
}

TEST_CASE("nothing changes where NCCL answers that calls are in progress") {
  for (int const answers : {1, 2, 300}) {
    CAPTURE(answers);
    Machine machine(3, {.in_progress = answers});
    nccl_ranks::on_ranks(3, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      collective_cases::everything(Mirrored(communicator), executor, 1, 50);
    });
  }
}

TEST_CASE("a sum has the bits of a thread communicator's, whatever the order in which streams run") {
  std::size_t const count = 1'000;
  std::vector<std::vector<float>> expected(3);
  on_all_thread_ranks(3,
                      [&](weir::ThreadCommunicator const& communicator, weir::HostExecutor const& executor) {
                        auto& data = expected[communicator.rank()] =
                            collective_cases::elements<float>(communicator.rank(), count);
                        communicator.all_reduce(executor, weir::view(data));
                        executor.synchronize();
                      });
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Machine machine(3, {}, seed);
    nccl_ranks::on_ranks(3, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      OnDevice const data(executor, collective_cases::elements<float>(communicator.rank(), count));
      communicator.all_reduce(executor, data.view());
      auto const sums = data.content();
      CHECK(collective_cases::same_bits(sums.data(), expected[communicator.rank()].data(), count));
    });
  }
}

TEST_CASE("the operators are those that NCCL has") {
  Machine machine(3);
  nccl_ranks::on_ranks(3, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto const rank = static_cast<std::int64_t>(communicator.rank());
    OnDevice const largest(executor, std::vector<std::int64_t>{rank, -rank});
    OnDevice const smallest(executor, std::vector<weir::half>{weir::half(static_cast<float>(rank))});
    communicator.all_reduce(executor, largest.view(), weir::ReduceOp::max);
    communicator.all_reduce(executor, smallest.view(), weir::ReduceOp::min);
    CHECK(largest.content() == std::vector<std::int64_t>{2, 0});
    CHECK(static_cast<float>(smallest.content()[0]) == 0.0F);
    auto const text = text_thrown<weir::ContractViolation>(
        [&] { communicator.all_reduce(executor, largest.view(), weir::ReduceOp::bit_or); });
    CHECK(text == "NCCL cannot combine with bit_or, only sum, max and min");
  });
}

TEST_CASE("operations on no elements enqueue nothing") {
  Machine machine(2);
  nccl_ranks::on_ranks(2, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    collective_cases::everything(Mirrored(communicator), executor, 0, 0);
    weir::TransferGroup<DeviceSpace> group;
    communicator.exchange(executor, group.transfers());
    group.send(weir::view<DeviceSpace>(static_cast<float*>(nullptr), 0), 1 - communicator.rank());
    communicator.exchange(executor, group.transfers());
    CHECK(communicator.poll(20s));
  });
  CHECK(machine.names_of_rank(0).empty());
}

TEST_CASE("parts of one size are one reduce-scatter, others a group of reduces") {
  Machine machine(2);
  nccl_ranks::on_ranks(2, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    collective_cases::reduce_scatter_gives_even_parts<float>(Mirrored(communicator), executor, 0, 10);
  });
  CHECK(machine.names_of_rank(1) == std::multiset<std::string>{"ncclReduceScatter"});
  nccl_ranks::on_ranks(2, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    collective_cases::reduce_scatter_gives_even_parts<float>(Mirrored(communicator), executor, 0, 11);
  });
  CHECK(machine.names_of_rank(1) ==
        std::multiset<std::string>{"ncclReduceScatter", "ncclReduce", "ncclReduce"});
  for (auto const& call : machine.nccl.calls()) CHECK((call.name != "ncclReduce" || call.is_grouped));
}

TEST_CASE("sends and receives are posted together, also to oneself") {
  for (std::size_t const ranks : {1u, 2u, 3u}) {
    Machine machine(ranks);
    nccl_ranks::on_ranks(ranks, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      collective_cases::exchange_goes_round<std::uint16_t>(Mirrored(communicator), executor, 33);
    });
    for (auto const& call : machine.nccl.calls()) {
      CHECK(call.is_grouped);
      CHECK((call.name == "ncclSend" || call.name == "ncclRecv"));
    }
  }
}

TEST_CASE("wrong arguments are refused before anything is enqueued") {
  Machine machine(2);
  nccl_ranks::on_ranks(2, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, std::vector<float>(10));
    auto const all = data.view();
    CHECK_THROWS_AS(communicator.all_gather(executor, weir::TensorView<float const, DeviceSpace>(all), all),
                    weir::ContractViolation);
    CHECK_THROWS_AS(communicator.broadcast(executor, all, 2), weir::ContractViolation);
    CHECK_THROWS_AS(
        communicator.reduce_scatter(executor, weir::TensorView<float const, DeviceSpace>(all), all),
        weir::ContractViolation);
    weir::TransferGroup<DeviceSpace> group;
    group.send(all, 2);
    CHECK_THROWS_AS(communicator.exchange(executor, group.transfers()), weir::ContractViolation);
    CHECK_THROWS_AS(communicator.split(std::size_t{1} << 31, 0), weir::ContractViolation);
    weir::CudaOptions elsewhere;
    elsewhere.device = 1 - communicator.device();
    CudaExecutor const other(elsewhere);
    CHECK(contains(text_thrown<weir::ContractViolation>([&] { communicator.all_reduce(other, all); }),
                   "the communicator on device " + std::to_string(communicator.device())));
    communicator.all_reduce(executor, all);  // the ranks still agree
    CHECK(data.content() == std::vector<float>(10));
  });
}

TEST_CASE("counts beyond 2^31 reach NCCL as they are") {
  Machine machine(1, {.runs = false});
  std::size_t const count = (std::size_t{1} << 32) + 3;
  nccl_ranks::on_ranks(1, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto const none = weir::view<DeviceSpace>(static_cast<weir::bfloat16*>(nullptr), count);
    communicator.all_reduce(executor, none);
    communicator.broadcast(executor, none, 0);
    communicator.all_gather(executor, weir::TensorView<weir::bfloat16 const, DeviceSpace>(none), none);
    weir::TransferGroup<DeviceSpace> group;
    group.send(none, 0);
    communicator.exchange(executor, group.transfers());
  });
  std::multiset<std::string> seen;
  for (auto const& call : machine.nccl.calls()) {
    if (call.count == sizeof(weir::Fingerprint)) continue;
    seen.insert(call.name);
    CHECK(call.count == (call.name == "ncclAllReduce" ? count : 2 * count));
  }
  CHECK(seen == std::multiset<std::string>{"ncclAllGather", "ncclAllReduce", "ncclBroadcast", "ncclSend"});
}

TEST_CASE("after the first use an operation neither allocates nor waits") {
  Machine machine(2);
  std::barrier together(2);  // the inventory is that of both ranks
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    communicator.reserve(executor, 64);
    OnDevice const data(executor, std::vector<float>(16, 1.0F));
    communicator.all_reduce(executor, data.view());
    executor.synchronize();
    together.arrive_and_wait();
    auto const before = machine.cuda.inventory();
    together.arrive_and_wait();
    for (int i = 0; i < 3; ++i) communicator.all_reduce(executor, data.view());
    together.arrive_and_wait();
    CHECK(machine.cuda.inventory().allocations == before.allocations);
    together.arrive_and_wait();
    CHECK(data.content() == std::vector<float>(16, 16.0F));
  });
  CHECK(machine.cuda.calls()["cudaStreamSynchronize"] == 2 * 3);  // those of this test
  CHECK(machine.cuda.calls()["cudaEventSynchronize"] == 0);
  CHECK(machine.cuda.default_stream_operations() == 0);
}

TEST_CASE("more operations than are watched one by one may be enqueued") {
  Machine machine(2);
  nccl_ranks::on_ranks(2, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, std::vector<std::uint32_t>{1});
    communicator.all_reduce(executor, data.view());
    for (int i = 0; i < 300; ++i) {
      if (communicator.rank() == 0) std::this_thread::yield();
      communicator.all_reduce(executor, data.view(), weir::ReduceOp::max);
    }
    CHECK(communicator.poll(10s));
    CHECK(data.content() == std::vector<std::uint32_t>{2});
  });
}

TEST_CASE("split divides the ranks by color and orders them by key") {
  for (int const answers : {0, 3}) {
    Machine machine(4, {.in_progress = answers});
    nccl_ranks::on_ranks(4, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      auto const part = communicator.split(communicator.rank() % 2, 10 - communicator.rank());
      CHECK(part.size() == 2);
      CHECK(part.rank() == (communicator.rank() < 2 ? 1 : 0));
      OnDevice const data(executor,
                          std::vector<std::int32_t>{static_cast<std::int32_t>(communicator.rank())});
      part.all_reduce(executor, data.view());
      CHECK(data.content() == std::vector<std::int32_t>{communicator.rank() % 2 == 0 ? 2 : 4});
      weir::Mesh const mesh(communicator, {{"pipeline", 2}, {"data", 2}});
      CHECK(mesh.axis("data").size() == 2);
      collective_cases::everything(Mirrored(mesh.axis("pipeline")), executor, 0, 9);
    });
  }
}

TEST_CASE("an operation that the ranks have done before can be captured, and replayed") {
  Machine machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, std::vector<float>(8, 1.0F));
    OnDevice const received(executor, std::vector<float>(8));
    weir::TransferGroup<DeviceSpace> group;
    group.send(data.view(), 1 - communicator.rank());
    group.receive(received.view(), 1 - communicator.rank());
    auto const step = [&] {
      communicator.all_reduce(executor, data.view());
      communicator.exchange(executor, group.transfers());
    };
    auto const first = text_thrown<weir::NotCapturable>([&] { weir::CudaGraph::capture(executor, step); });
    CHECK(contains(first, "all_reduce number 1 of 8 float32 (sum)"));
    CHECK(contains(first, "run the step once before the capture"));
    communicator.all_reduce(executor, data.view());
    auto const second = text_thrown<weir::NotCapturable>([&] { weir::CudaGraph::capture(executor, step); });
    CHECK(contains(second, "exchange number 1"));
    communicator.exchange(executor, group.transfers());
    auto const graph = weir::CudaGraph::capture(executor, step);
    for (int i = 0; i < 5; ++i) graph.replay();
    CHECK(received.content() == std::vector<float>(8, 64.0F));
    CHECK(communicator.poll(20s));
  });
}

TEST_CASE("a refused capture leaves the ranks in agreement") {
  Machine machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, std::vector<float>(8, 1.0F));
    if (communicator.rank() == 0) {
      CHECK_THROWS_AS(
          weir::CudaGraph::capture(executor, [&] { communicator.all_reduce(executor, data.view()); }),
          weir::NotCapturable);
    }
    communicator.all_reduce(executor, data.view());
    CHECK(data.content() == std::vector<float>(8, 2.0F));
  });
}

TEST_CASE("a borrowed communicator stays the caller's") {
  Machine machine(2);
  ncclUniqueId id;
  ncclGetUniqueId(&id);
  for (int const is_blocking : {1, 0}) {
    auto const failures = on_rank_threads(2, [&](std::size_t rank) {
      cudaSetDevice(static_cast<int>(rank));
      ncclComm_t borrowed = nullptr;
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = is_blocking;
      ncclCommInitRankConfig(&borrowed, 2, id, static_cast<int>(rank), &config);
      for (ncclResult_t state = ncclInProgress; state == ncclInProgress;)
        ncclCommGetAsyncError(borrowed, &state);
      CudaExecutor const executor;
      {
        NcclCommunicator const communicator(borrowed);
        CHECK(communicator.handle() == borrowed);
        CHECK(communicator.rank() == rank);
        CHECK(communicator.size() == 2);
        NcclCommunicator const copy = communicator;
        collective_cases::everything(Mirrored(copy), executor, 1, 20);
        CHECK_FALSE(communicator.is_aborted());
      }
      CHECK(ncclCommDestroy(borrowed) == ncclSuccess);
    });
    for (auto const& failure : failures) CHECK(text_of(failure).empty());
    ncclGetUniqueId(&id);
  }
  CHECK(text_thrown<weir::ContractViolation>([] { NcclCommunicator(ncclComm_t{}); }) ==
        "a null ncclComm_t is no communicator");
}
