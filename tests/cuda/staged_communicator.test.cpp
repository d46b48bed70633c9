#include "weir/cuda/staged_communicator.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "comm/collective_cases.hpp"
#include "comm/thread_ranks.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/mirrored.hpp"
#include "support/cuda/on_device.hpp"
#include "weir/comm/pollable.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/cuda/graph.hpp"

using namespace std::chrono_literals;
using weir::CudaExecutor;
using weir::DeviceSpace;
using weir::ThreadCommunicator;
using Staged = weir::StagedCommunicator<ThreadCommunicator>;

static_assert(weir::DescribedCommunicator<Staged>);
static_assert(weir::PollableCommunicator<Staged>);
static_assert(weir::SplittingCommunicator<Staged>);
static_assert(weir::ReservingCommunicator<Staged, CudaExecutor>);
static_assert(weir::ReducingCommunicator<Staged, CudaExecutor, weir::bfloat16>);
static_assert(weir::GatheringCommunicator<Staged, CudaExecutor, std::byte>);
static_assert(weir::ScatteringCommunicator<Staged, CudaExecutor, double>);
static_assert(weir::BroadcastingCommunicator<Staged, CudaExecutor, std::uint8_t>);
static_assert(weir::PointToPointCommunicator<Staged, CudaExecutor>);
static_assert(!weir::ReducingCommunicator<Staged, weir::HostExecutor>);

namespace {

constexpr weir::StagingOptions small_chunks{4096};

/// Runs `f(communicator, executor)` on each of `size` ranks.
template <class Function>
std::vector<std::exception_ptr> failures_of_ranks(std::size_t size, Function const& f,
                                                  weir::CommOptions const& options = {}) {
  auto const ranks = ThreadCommunicator::group(size, options);
  return on_rank_threads(size, [&](std::size_t rank) {
    cudaSetDevice(static_cast<int>(rank));
    f(Staged(ranks[rank], small_chunks), CudaExecutor());
  });
}

template <class Function>
void on_ranks(std::size_t size, Function const& f) {
  for (auto const& failure : failures_of_ranks(size, f)) {
    if (failure) std::rethrow_exception(failure);
  }
}

stand_in::Options devices(std::size_t count, std::uint64_t seed = 5) {
  return {.devices = static_cast<int>(count), .seed = seed};
}

/// A communicator of one rank that notes how many copies have been enqueued when its turn comes.
struct Counting : weir::SelfCommunicator {
  stand_in::Session* machine;
  std::vector<std::size_t>* copies;

  Counting(stand_in::Session& session, std::vector<std::size_t>& counts)
      : machine(&session), copies(&counts) {}

  template <weir::Executor E>
  void all_reduce(E const&, weir::TensorView<float, weir::HostSpace>,
                  weir::ReduceOp = weir::ReduceOp::sum) const {
    copies->push_back(machine->calls()["cudaMemcpyAsync"]);
  }
};

}  // namespace

TEST_CASE("vectors of any length are staged in chunks, for all operations and element types") {
  for (std::size_t const ranks : {1u, 2u, 3u, 4u}) {
    for (std::size_t const count : {100u, 5'000u}) {
      CAPTURE(ranks);
      CAPTURE(count);
      CleanSession session(devices(ranks, 11 * ranks));
      on_ranks(ranks, [&](Staged const& communicator, CudaExecutor const& executor) {
        collective_cases::all_types(Mirrored(communicator), executor, count);
        collective_cases::operators_combine(Mirrored(communicator), executor);
      });
    }
  }
}

TEST_CASE("no order of the copies changes the result") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    CleanSession session(devices(3, seed));
    on_ranks(3, [&](Staged const& communicator, CudaExecutor const& executor) {
      auto const mine = collective_cases::elements<float>(communicator.rank(), 20'000);
      OnDevice const data(executor, mine);
      communicator.all_reduce(executor, data.view());
      communicator.all_reduce(executor, data.view(), weir::ReduceOp::max);
      auto const sums = data.content();
      CHECK(collective_cases::same_bits(sums.data(), collective_cases::expected_sums<float>(3, 20'000).data(),
                                        20'000));
    });
  }
}

TEST_CASE("while one chunk is between the ranks, the next is on its way") {
  CleanSession session;
  std::vector<std::size_t> copies;
  CudaExecutor const executor;
  weir::StagedCommunicator const communicator(Counting(session, copies), small_chunks);
  OnDevice const data(executor, std::vector<float>(5 * 1024 + 1, 1.0F));
  std::size_t const before = session.calls()["cudaMemcpyAsync"];
  communicator.all_reduce(executor, data.view());
  executor.synchronize();
  for (std::size_t& count : copies) count -= before;
  CHECK(copies ==
        std::vector<std::size_t>{2, 4, 6, 8, 10, 11});  // one down ahead, and one up for each before
}

TEST_CASE("nothing is enqueued for no elements") {
  CleanSession session(devices(2));
  on_ranks(2, [&](Staged const& communicator, CudaExecutor const& executor) {
    collective_cases::everything(Mirrored(communicator), executor, 0, 0);
    communicator.exchange(executor, weir::TransferGroup<DeviceSpace>().transfers());
  });
}

TEST_CASE("many long messages at once make room for themselves") {
  CleanSession session(devices(2));
  on_ranks(2, [&](Staged const& communicator, CudaExecutor const& executor) {
    std::size_t const messages = 40;
    std::size_t const count = 777;
    auto const sent = collective_cases::elements<float>(communicator.rank(), messages * count);
    OnDevice const out(executor, sent);
    OnDevice const in(executor, std::vector<float>(messages * count));
    weir::TransferGroup<DeviceSpace> group;
    for (std::size_t i = 0; i < messages; ++i) {
      group.send(out.view().part(i * count, count - i), 1 - communicator.rank());
      group.receive(in.view().part(i * count, count - i), 1 - communicator.rank());
    }
    communicator.exchange(executor, group.transfers());
    auto const received = in.content();
    auto const expected = collective_cases::elements<float>(1 - communicator.rank(), messages * count);
    for (std::size_t i = 0; i < messages; ++i) {
      CHECK(collective_cases::same_bits(&received[i * count], &expected[i * count], count - i));
    }
  });
}

TEST_CASE("all memory is taken by reserve") {
  CleanSession session(devices(2));
  on_ranks(2, [&](Staged const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, std::vector<float>(9'000, 1.0F));
    communicator.reserve(executor, 36'000);
    communicator.all_reduce(executor, data.view());
    communicator.broadcast(executor, data.view(), 1);
    CHECK(data.content() == std::vector<float>(9'000, 2.0F));
  });
  CHECK(session.calls()["cudaHostAlloc"] == 6);  // three chunks for each rank
}

TEST_CASE("ranks that differ, and ranks that fail, are the errors of the communicator below") {
  stand_in::Session session(devices(2));  // pinned memory is kept after a failure
  for (auto const &failure :
       failures_of_ranks(2, [&](Staged const&communicator, CudaExecutor const&executor) {
         OnDevice const data(executor, std::vector<float>(3'000));
         communicator.all_reduce(executor, data.view().part(0, 3'000 - communicator.rank()));
       })) {
    CHECK(is_a<weir::FingerprintMismatch>(failure));
  }
  auto const failures = failures_of_ranks(2, [&](Staged const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, std::vector<float>(3'000));
    if (communicator.rank() == 0) return communicator.abort();
    CHECK_THROWS_AS(communicator.all_reduce(executor, data.view()), weir::PeerAborted);
    CHECK_THROWS_AS(communicator.all_reduce(executor, data.view()), weir::PeerAborted);
    CHECK_THROWS_AS(communicator.poll(0ms), weir::PeerAborted);
    executor.synchronize();
  });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
  CHECK(session.take_violations() == std::vector<std::string>{});
}

TEST_CASE("a rank that never comes is an error within the deadline") {
  stand_in::Session session(devices(2));
  auto const ranks = ThreadCommunicator::group(2, {100ms});
  CudaExecutor const executor;
  Staged const communicator(ranks[0], small_chunks);
  OnDevice const data(executor, std::vector<float>(3'000));
  CHECK_THROWS_AS(communicator.all_reduce(executor, data.view()), weir::PeerTimeout);
}

TEST_CASE("an operation cannot be captured, and says so") {
  CleanSession session;
  CudaExecutor const executor;
  Staged const communicator(ThreadCommunicator::group(1)[0], small_chunks);
  OnDevice const data(executor, std::vector<float>(10, 1.0F));
  try {
    weir::CudaGraph::capture(executor, [&] { communicator.all_reduce(executor, data.view()); });
    CHECK_MESSAGE(false, "nothing thrown");
  } catch (weir::NotCapturable const& error) {
    CHECK(std::string(error.what()) ==
          "all_reduce cannot be captured in a CUDA graph: call it before the capture or after it");
  }
  communicator.all_reduce(executor, data.view());
  CHECK(data.content() == std::vector<float>(10, 1.0F));
}

TEST_CASE("with a launch thread the caller goes on") {
  CleanSession session(devices(1));
  auto const ranks = ThreadCommunicator::group(2);
  weir::CudaOptions threaded;
  threaded.launch_thread = true;
  CudaExecutor const executor(threaded);
  CudaExecutor const other;
  Staged const communicator(ranks[0], small_chunks);
  OnDevice const data(other, std::vector<float>(3'000, 1.0F));
  OnDevice const theirs(other, std::vector<float>(3'000, 2.0F));
  communicator.all_reduce(executor, data.view());  // returns, although rank 1 has not come
  Staged(ranks[1], small_chunks).all_reduce(other, theirs.view());
  executor.synchronize();
  CHECK(data.content() == std::vector<float>(3'000, 3.0F));
  CHECK(theirs.content() == std::vector<float>(3'000, 3.0F));
}

TEST_CASE("split stages the parts, too") {
  CleanSession session(devices(4));
  on_ranks(4, [&](Staged const& communicator, CudaExecutor const& executor) {
    auto const part = communicator.split(communicator.rank() / 2, communicator.rank());
    CHECK(part.size() == 2);
    collective_cases::everything(Mirrored(part), executor, 1, 3'000);
  });
}

TEST_CASE("no pinned memory: nothing has changed") {
  for (std::size_t nth = 1; nth <= 3; ++nth) {
    CleanSession session;
    CudaExecutor const executor;
    Staged const communicator(ThreadCommunicator::group(1)[0], small_chunks);
    auto const before = session.inventory();
    session.fail("cudaHostAlloc", nth, cudaErrorMemoryAllocation);
    CHECK_THROWS_AS(communicator.reserve(executor, 100), weir::OutOfMemory);
    CHECK(session.inventory() == before);
    OnDevice const data(executor, std::vector<float>(10, 1.0F));
    communicator.all_reduce(executor, data.view());
    CHECK(data.content() == std::vector<float>(10, 1.0F));
  }
}

TEST_CASE("wrong use is refused") {
  CleanSession session(devices(2));
  Staged const communicator(ThreadCommunicator::group(1)[0], small_chunks);
  CudaExecutor const executor;
  weir::CudaOptions elsewhere;
  elsewhere.device = 1;
  CudaExecutor const other(elsewhere);
  communicator.reserve(executor, 0);
  CHECK_THROWS_AS(communicator.reserve(other, 0), weir::ContractViolation);
  OnDevice const data(executor, std::vector<float>(10, 1.0F));
  CHECK_THROWS_AS(communicator.broadcast(executor, data.view(), 1), weir::ContractViolation);
  CHECK_THROWS_AS(communicator.all_reduce(executor, data.view(), weir::ReduceOp::bit_or),
                  weir::ContractViolation);
  CHECK_THROWS_AS(Staged(ThreadCommunicator::group(1)[0], {1'000}), weir::ContractViolation);
}
