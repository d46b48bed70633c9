// The real NCCL, with as many ranks as there are devices, each on a thread of its own. One rank is a valid
// case: it goes through the same calls.
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "comm/collective_cases.hpp"
#include "comm/thread_ranks.hpp"
#include "nccl/sparse_sums.hpp"
#include "support/cuda/mirrored.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/comm/fixed_gather.hpp"
#include "weir/comm/mesh.hpp"
#include "weir/compress/collective/all_gather_pairs.hpp"
#include "weir/compress/collective/balanced_top_k.hpp"
#include "weir/compress/collective/global_top_k.hpp"
#include "weir/compress/collective/leader_indices.hpp"
#include "weir/compress/collective/recursive_doubling.hpp"
#include "weir/compress/collective/split_all_gather.hpp"
#include "weir/compress/collective/two_level.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/pooled_memory.hpp"
#include "weir/cuda/vocabulary.hpp"

using namespace std::chrono_literals;
using weir::CudaExecutor;
using weir::DeviceSpace;
using weir::NcclCommunicator;

namespace {

std::size_t ranks() {
  int devices = 0;
  cudaGetDeviceCount(&devices);
  return static_cast<std::size_t>(devices);
}

/// What sums over all ranks are exactly, in any order.
std::vector<float> whole_numbers(std::size_t rank, std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>((rank + 1) * (i % 1'000));
  return numbers;
}

std::vector<float> sums(std::size_t size, std::size_t count) {
  std::vector<float> numbers(count);
  for (std::size_t rank = 0; rank < size; ++rank) {
    auto const of_rank = whole_numbers(rank, count);
    for (std::size_t i = 0; i < count; ++i) numbers[i] += of_rank[i];
  }
  return numbers;
}

template <class Policy>
void check_sparse_sum(Policy const& policy) {
  auto of_rank = selections<float>(ranks(), 10'000, 0.1, 4, true);  // whole numbers
  nccl_ranks::check_sums_of(
      of_rank, [&](auto const&) { return policy; }, 4'000);
  for (std::size_t const per_node : {std::size_t{1}, ranks()}) {
    auto const over_nodes = [&](auto const& world) {
      weir::Mesh const mesh(world, {{"node", ranks() / per_node}, {"place", per_node}});
      return weir::TwoLevel{mesh.axis("place"), mesh.axis("node"), policy};
    };
    nccl_ranks::check_sums_of(of_rank, over_nodes, 4'000);
  }
}

}  // namespace

TEST_CASE("real NCCL: collectives of integers, and copies of everything, are exact") {
  nccl_ranks::on_ranks(ranks(), [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    for (std::size_t const count : {1u, 7u, 1'000u, 100'003u}) {
      Mirrored const mirrored(communicator);
      collective_cases::all_reduce_sums<std::int32_t>(mirrored, executor, 1, count);
      collective_cases::all_reduce_sums<std::uint64_t>(mirrored, executor, 0, count);
      collective_cases::all_gather_collects<weir::half>(mirrored, executor, 1, count);
      collective_cases::all_gather_works_in_place<std::uint8_t>(mirrored, executor, count);
      collective_cases::reduce_scatter_gives_even_parts<std::int64_t>(mirrored, executor, 0, count);
      collective_cases::reduce_scatter_takes_boundaries_in_place<std::uint32_t>(mirrored, executor, count);
      collective_cases::broadcast_copies<double>(mirrored, executor, 0, count);
      collective_cases::exchange_goes_round<float>(mirrored, executor, count);
    }
    collective_cases::everything(Mirrored(communicator), executor, 0, 0);
  });
}

TEST_CASE("real NCCL: sums of every type of number, where no order of addition rounds") {
  nccl_ranks::on_ranks(ranks(), [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    std::size_t const count = 50'000;
    OnDevice const data(executor, whole_numbers(communicator.rank(), count));
    communicator.all_reduce(executor, data.view());
    CHECK(data.content() == sums(communicator.size(), count));
    OnDevice const ones(executor, std::vector<weir::bfloat16>(count, weir::bfloat16(1.0F)));
    communicator.all_reduce(executor, ones.view());
    CHECK(static_cast<float>(ones.content()[count - 1]) == static_cast<float>(communicator.size()));
    OnDevice const rank(executor, std::vector<double>{static_cast<double>(communicator.rank())});
    communicator.all_reduce(executor, rank.view(), weir::ReduceOp::max);
    CHECK(rank.content()[0] == static_cast<double>(communicator.size() - 1));
  });
}

TEST_CASE("real NCCL: a captured step replays, and an unseen one is refused") {
  nccl_ranks::on_ranks(ranks(), [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, std::vector<std::uint32_t>(1'000, 1));
    auto const step = [&] { communicator.all_reduce(executor, data.view()); };
    CHECK_THROWS_AS(weir::CudaGraph::capture(executor, step), weir::NotCapturable);
    step();
    auto const graph = weir::CudaGraph::capture(executor, step);
    for (int i = 0; i < 100; ++i) graph.replay();
    std::uint32_t expected = 1;
    for (int i = 0; i < 101; ++i) expected *= static_cast<std::uint32_t>(communicator.size());
    CHECK(data.content() == std::vector<std::uint32_t>(1'000, expected));
    CHECK(communicator.poll(10s));
  });
}

TEST_CASE("real NCCL: a mesh is split, and its communicators work") {
  nccl_ranks::on_ranks(ranks(), [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    weir::Mesh const mesh(communicator, {{"data", communicator.size()}, {"pipeline", 1}});
    collective_cases::all_reduce_sums<std::int32_t>(Mirrored(mesh.axis("data")), executor, 0, 100);
    collective_cases::all_reduce_sums<std::int32_t>(Mirrored(mesh.axis("pipeline")), executor, 0, 100);
  });
}

TEST_CASE("real NCCL: sparse sums of whole numbers are those of the host, and so are the residuals") {
  check_sparse_sum(weir::FixedGather{});
  check_sparse_sum(weir::AllGatherPairs{});
  check_sparse_sum(weir::RecursiveDoubling{});
  check_sparse_sum(weir::SplitAllGather{});
  check_sparse_sum(weir::GlobalTopK{});
  check_sparse_sum(weir::BalancedTopK{});
  check_sparse_sum(weir::LeaderIndices{});
}

TEST_CASE("real NCCL: a rank that never comes is an error within the deadline") {
  auto const failures = on_rank_threads(1, [](std::size_t) {
    auto const begin = std::chrono::steady_clock::now();
    auto const alone = [](std::size_t, std::span<std::byte>) {};
    CHECK_THROWS_AS(weir::make_nccl_comm(0, 2, alone, {1s}), weir::PeerTimeout);
    CHECK(std::chrono::steady_clock::now() - begin < 20s);
  });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE("real NCCL: ranks that differ all say so" * doctest::skip(ranks() < 2)) {
  auto const failures = nccl_ranks::failures_of_ranks(
      ranks(), {20s}, [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        OnDevice const data(executor, std::vector<float>(100));
        communicator.all_reduce(executor, data.view().part(0, 100 - communicator.rank()));
      });
  for (auto const& failure : failures) CHECK(is_a<weir::FingerprintMismatch>(failure));
}

TEST_CASE("real NCCL: a rank that stops is an error of poll on the others" * doctest::skip(ranks() < 2)) {
  nccl_ranks::failures_of_ranks(ranks(), {2s},
                                [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
                                  OnDevice const data(executor, std::vector<float>(100));
                                  communicator.all_reduce(executor, data.view());
                                  executor.synchronize();
                                  if (communicator.rank() == 1) return std::this_thread::sleep_for(6s);
                                  communicator.all_reduce(executor, data.view());
                                  CHECK_THROWS_AS(communicator.poll(20s), weir::PeerTimeout);
                                  executor.synchronize();
                                });
}

TEST_CASE("real NCCL: abort ends a communicator, which then refuses everything") {
  nccl_ranks::on_ranks(ranks(), [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto const copy = communicator.split(0, communicator.rank());
    OnDevice const data(executor, std::vector<float>(100));
    copy.all_reduce(executor, data.view());
    executor.synchronize();
    copy.abort();
    CHECK(copy.is_aborted());
    CHECK_THROWS_AS(copy.all_reduce(executor, data.view()), weir::PeerAborted);
    CHECK_THROWS_AS(copy.poll(0ms), weir::PeerAborted);
    communicator.all_reduce(executor, data.view());
    executor.synchronize();
  });
}

TEST_CASE("real NCCL: a blocking communicator of the caller's works, and stays the caller's") {
  ncclUniqueId id;
  REQUIRE(ncclGetUniqueId(&id) == ncclSuccess);
  auto const failures = on_rank_threads(ranks(), [&](std::size_t rank) {
    cudaSetDevice(static_cast<int>(rank));
    ncclComm_t borrowed = nullptr;
    REQUIRE(ncclCommInitRank(&borrowed, static_cast<int>(ranks()), id, static_cast<int>(rank)) ==
            ncclSuccess);
    {
      NcclCommunicator const communicator(borrowed);
      collective_cases::all_reduce_sums<std::int32_t>(Mirrored(communicator), CudaExecutor(), 0, 100);
    }
    CHECK(ncclCommDestroy(borrowed) == ncclSuccess);
  });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE("real NCCL: fingerprints use the memory that the executor was given") {
  nccl_ranks::on_ranks(ranks(), [](NcclCommunicator const& communicator, CudaExecutor const&) {
    weir::PooledMemory pool;
    weir::CudaOptions options;
    options.memory = &pool;
    auto const part = communicator.split(0, communicator.rank());
    CudaExecutor const pooled(options);
    part.reserve(pooled, 4096);
    collective_cases::all_reduce_sums<std::int32_t>(Mirrored(part), pooled, 0, 100);
  });
}
